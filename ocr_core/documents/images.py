"""Image files through Pillow, decoded to upright gray or RGB on opaque ground."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from inkstream.ocr_core.documents.document import Canvas, Document, DocumentPage, Raster, too_many_pages
from inkstream.ocr_core.documents.heif import open_heif, require_heif
from inkstream.ocr_core.documents.image_frames import count_pictures, is_tiff_page
from inkstream.ocr_core.documents.image_headers import Header, read_header
from inkstream.ocr_core.documents.transparency import choose_ground, lay_on_ground
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.page import DocumentInfo
from inkstream.ocr_core.pixels import MAX_SIDE, Pixels

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RenderOptions

_PILLOW = {
    "tiff": "TIFF",
    "png": "PNG",
    "jpeg": "JPEG",
    "jpeg2000": "JPEG2000",
    "webp": "WEBP",
    "gif": "GIF",
    "bmp": "BMP",
    "pnm": "PPM",
    "avif": "AVIF",
}
"""The one decoder of each format; no other is ever tried."""

_SANE_DPI = (100, 1200)
"""Range of plausible dpi; below it are the 72 and 96 of cameras and web pages, which say nothing about the paper."""

_ORIENTATION = 0x0112
_TURNED = {5, 6, 7, 8}
"""EXIF's tag, and its values that swap width and height."""

_ANISOTROPY = 1.1
"""Pixels longer than wide by this factor are fax rows: the page is stretched to square pixels."""


def open_image(path: Path, kind: str, max_pages: int) -> ImageFile:
    """Open an image file. A TIFF has a page for each frame that is one; of other formats the first frame is read.

    Args:
        path: The file.
        kind: What `identify` called it.
        max_pages: Pages of a TIFF counted at most.

    Raises:
        DocumentError: `corrupt`, `unsupported`, or `limit` when a TIFF has more than `max_pages` pages.
    """
    with _decoding():
        header = read_header(path, kind)
    if header is not None:
        return ImageFile(path, DocumentInfo(kind, 1, _first_of(header.frames)), header)
    image = _open(path, kind)
    if kind != "tiff":
        return ImageFile(path, DocumentInfo(kind, 1, _first_of(count_pictures(image), image.tell())), image=image)
    try:
        frames = _page_frames(image, max_pages)
    except DocumentError:
        image.close()
        raise
    return ImageFile(path, DocumentInfo(kind, len(frames)), image=image, frames=frames)


def _open(path: Path, kind: str) -> Image.Image:
    if kind == "heif":
        require_heif()
    with _decoding():
        return open_heif(path) if kind == "heif" else Image.open(path, formats=[_PILLOW[kind]])


def _first_of(frames: int, chosen: int = 0) -> tuple[str, ...]:
    """Return a note if a file has several frames, of which one is read: the first, or the one that is marked."""
    if frames < 2:
        return ()
    return (f"first of {frames} frames" if chosen == 0 else f"main one of {frames} frames (number {chosen + 1})",)


def _page_frames(image: Image.Image, max_pages: int) -> tuple[int, ...]:
    """Return the numbers of the frames of a TIFF that are pages; all of them if none says that it is one."""
    pages: list[int] = []
    frames = 0
    while True:
        try:
            with _decoding(passing=EOFError):
                image.seek(frames)
        except EOFError:
            break
        except DocumentError:
            pages.append(frames)  # the frame exists; reading it later reports what is wrong with it
            break
        if is_tiff_page(image):
            pages.append(frames)
        frames += 1
        if len(pages) > max_pages:
            raise too_many_pages(len(pages), max_pages)
    return tuple(pages or range(frames))


@contextmanager
def _decoding(passing: type[BaseException] | tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Turn any exception of Pillow into DocumentError; our pixel budget replaces Pillow's."""
    largest = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    except (MemoryError, DocumentError):
        raise
    except UnidentifiedImageError as error:  # its message is only the file's name; the reason is in a warning
        why = str(caught[-1].message).strip() if caught else "its header cannot be read"
        raise _damaged(why) from error
    except Exception as error:
        if passing and isinstance(error, passing):
            raise
        raise _damaged(f"{type(error).__name__}: {error}") from error
    finally:
        Image.MAX_IMAGE_PIXELS = largest


def _damaged(why: str) -> DocumentError:
    return DocumentError(FailureKind.CORRUPT, f"the image is damaged, or of a kind that is not read: {why}")


class ImageFile(Document):
    """An open image file.

    Args:
        path: The file.
        info: Its format and number of pages.
        header: Its stated size, for formats where it is checked before a decoder is opened.
        image: The decoder, if it is already open.
        frames: The number of each page's frame in a TIFF.
    """

    def __init__(
        self,
        path: Path,
        info: DocumentInfo,
        header: Header | None = None,
        image: Image.Image | None = None,
        frames: Sequence[int] = (),
    ) -> None:
        self._path = path
        self._image = image
        self._frames = frames
        self.info = info
        self.header = header

    def decoder(self) -> Image.Image:
        """Return Pillow's image, opening it on the first call. Raises DocumentError `corrupt`."""
        if self._image is None:
            self._image = _open(self._path, self.info.format)
        return self._image

    def page(self, pagenum: int) -> ImagePage:
        """Open one frame, 0-based. Raises DocumentError `corrupt` if it cannot be found."""
        if not 0 <= pagenum < self.info.pages:
            raise DocumentError(FailureKind.CORRUPT, f"there is no page {pagenum + 1} of {self.info.pages}")
        if self.info.format == "tiff":
            with _decoding():
                self.decoder().seek(self._frames[pagenum])
        return ImagePage(self)

    def close(self) -> None:
        """Close the file."""
        if self._image is not None:
            self._image.close()


class ImagePage(DocumentPage):
    """The current frame of an open image."""

    def __init__(self, file: ImageFile) -> None:
        self._file = file

    def canvas(self, options: RenderOptions) -> Canvas:
        """Return the upright size. Images are never scaled down: one with too many pixels fails with `limit`."""
        header = self._file.header
        if header is not None:
            _require_room(header.width, header.height, options)
        image = self._file.decoder()
        with _decoding():
            (width, height), resolution = _square(image, options.resolution)
        _require_room(width, height, options)
        with _decoding():  # after the size check, because Pillow decodes a whole PNG to find its EXIF data
            turned = image.getexif().get(_ORIENTATION, 1) in _TURNED
        return Canvas(height, width, resolution) if turned else Canvas(width, height, resolution)

    def render(self, options: RenderOptions) -> Raster:
        """Return the frame upright, on white (on black if it shows only white on transparent), with square pixels.

        The resolution is the file's own if it is plausible (100 to 1200 dpi), else `options.resolution`.
        """
        canvas = self.canvas(options)
        decoder = self._file.decoder()
        with _decoding():
            size, _ = _square(decoder, options.resolution)
            decoder.load()
            image, note = _flatten(decoder, "L" if options.color == "gray" else "RGB")
            if image.size != size:
                image = image.resize(size, Image.Resampling.LANCZOS)
            image.getexif()[_ORIENTATION] = decoder.getexif().get(_ORIENTATION, 1)
            image = ImageOps.exif_transpose(image)
        self.notes = (note,) if note else ()
        return Raster(np.array(image, dtype=np.uint8), canvas.resolution)

    def close(self) -> None:
        """Do nothing: the file owns the decoder."""


def _require_room(width: int, height: int, options: RenderOptions) -> None:
    if width * height > options.max_pixels or max(width, height) > MAX_SIDE:
        raise DocumentError(
            FailureKind.LIMIT,
            f"the image has {width} x {height} pixels; images over {options.max_pixels} pixels (max_pixels) or with a "
            f"side over {MAX_SIDE} are not read",
        )


def _square(image: Image.Image, assumed: int) -> tuple[tuple[int, int], int]:
    """Return the size with square pixels, and the dpi."""
    width, height = image.size
    if width < 1 or height < 1:
        raise DocumentError(FailureKind.CORRUPT, f"the image has {width} x {height} pixels")
    x, y = _dpi(image)
    low, high = _SANE_DPI
    if not (0 < x <= high and 0 < y <= high and max(x, y) >= low):
        return (width, height), assumed
    if max(x, y) / min(x, y) > _ANISOTROPY and max(x, y) / min(x, y) < 4:
        target = max(x, y)
        return (max(1, round(width * target / x)), max(1, round(height * target / y))), round(target)
    return (width, height), round(x)


def _dpi(image: Image.Image) -> tuple[float, float]:
    try:
        x, y = (float(value) for value in image.info.get("dpi", (0, 0)))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0, 0.0
    return (x, y) if math.isfinite(x) and math.isfinite(y) else (0.0, 0.0)


def _flatten(image: Image.Image, mode: str) -> tuple[Image.Image, str | None]:
    """Return any Pillow mode as `L` or `RGB` without transparency, and a note if something is lost with it."""
    if image.mode.startswith("I") or image.mode == "F":
        samples, note = np.asarray(image), None
        gray = _to_8_bit(samples)
        transparent = image.info.get("transparency")
        if isinstance(transparent, int):
            gray, note = _lay_gray(gray, samples == transparent)
        return Image.fromarray(gray).convert(mode), note
    if "transparency" in image.info or image.mode in {"LA", "PA", "RGBA", "La", "RGBa"}:
        return lay_on_ground(image, mode)
    if image.mode == "LAB":
        return image.getchannel("L").convert(mode), None
    if image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info:
        image = image.point(lambda sample: 255 - sample)  # Pillow inverts all of them, as only Adobe's need
    return image.convert("RGB").convert(mode) if image.mode in {"P", "CMYK"} else image.convert(mode), None


def _lay_gray(gray: Pixels, transparent: NDArray[np.bool_]) -> tuple[Pixels, str | None]:
    """Return gray pixels with the transparent ones in the colour of the ground, and a note if that hides something."""
    opaque = np.where(transparent, 0, 255).astype(np.uint8)
    ground = choose_ground(Image.merge("LA", (Image.fromarray(gray), Image.fromarray(opaque))))
    return np.where(transparent, np.uint8(ground.gray), gray), ground.note


def _to_8_bit(samples: NDArray[Any]) -> Pixels:
    """Scale deep gray to 8 bits: integers of up to 16 bits by the bits in use, others by minimum and maximum.

    Args:
        samples: `H x W`.
    """
    values = np.nan_to_num(samples) if samples.dtype.kind == "f" else samples
    low, high = values.min(), values.max()
    if samples.dtype.kind in "iu" and low >= 0 and high <= 65535:
        scaled = (values.astype(np.uint16) >> max(0, int(high).bit_length() - 8)).astype(np.uint8)
    else:
        scaled = ((values - float(low)) * (255 / (float(high) - float(low) or 1.0))).astype(np.uint8)
    return scaled

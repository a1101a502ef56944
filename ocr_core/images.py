"""PNG, JPEG and TIFF files through Pillow, decoded to upright gray or RGB on white."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from ocr_core.document import MAX_SIDE, Canvas, Document, DocumentPage, Pixels, Raster, too_many_pages
from ocr_core.errors import DocumentError, FailureKind
from ocr_core.page import DocumentInfo

if TYPE_CHECKING:
    from ocr_core.options import RenderOptions

_SANE_DPI = (100, 1200)
"""Below are the 72 and 96 of cameras and web pages, which say nothing about the paper."""

_ORIENTATION = 0x0112
_TURNED = {5, 6, 7, 8}
"""EXIF's tag, and its values that swap width and height."""

_ANISOTROPY = 1.1
"""Pixels longer than wide by this factor are fax rows: the page is stretched to square pixels."""


def open_image(path: Path, kind: str, max_pages: int) -> ImageFile:
    """Opens an image file.

    Args:
        path: The file.
        kind: `png`, `jpeg` or `tiff`; no other decoder is ever tried.
        max_pages: Frames counted at most.

    Raises:
        DocumentError: `corrupt`, or `limit` when a TIFF has more than `max_pages` frames.
    """
    with _decoding():
        image = Image.open(path, formats=[kind.upper()])
    try:
        pages = _count_frames(image, max_pages) if kind == "tiff" else 1
    except DocumentError:
        image.close()
        raise
    return ImageFile(image, DocumentInfo(kind, pages))


def _count_frames(image: Image.Image, max_pages: int) -> int:
    pages = 1
    while True:
        try:
            with _decoding(passing=EOFError):
                image.seek(pages)
        except EOFError:
            return pages
        except DocumentError:
            return pages + 1  # there is a frame, and reading it says what is wrong with it
        pages += 1
        if pages > max_pages:
            raise too_many_pages(pages, max_pages)


@contextmanager
def _decoding(passing: type[BaseException] | tuple[type[BaseException], ...] = ()) -> Iterator[None]:
    """Turns whatever Pillow raises on bad bytes into DocumentError; our pixel budget replaces Pillow's."""
    largest = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (MemoryError, DocumentError):
        raise
    except Exception as error:
        if passing and isinstance(error, passing):
            raise
        raise DocumentError(FailureKind.CORRUPT, f"the image is damaged: {type(error).__name__}: {error}") from error
    finally:
        Image.MAX_IMAGE_PIXELS = largest


class ImageFile(Document):
    """An open image file."""

    def __init__(self, image: Image.Image, info: DocumentInfo) -> None:
        self._image = image
        self.info = info

    def page(self, pagenum: int) -> ImagePage:
        """Opens one frame, 0-based. Raises DocumentError `corrupt` when it cannot be found."""
        if not 0 <= pagenum < self.info.pages:
            raise DocumentError(FailureKind.CORRUPT, f"there is no page {pagenum + 1} of {self.info.pages}")
        if self.info.format == "tiff":
            with _decoding():
                self._image.seek(pagenum)
        return ImagePage(self._image)

    def close(self) -> None:
        """Frees the file."""
        self._image.close()


class ImagePage(DocumentPage):
    """The frame an open image stands at."""

    def __init__(self, image: Image.Image) -> None:
        self._image = image

    def canvas(self, options: RenderOptions) -> Canvas:
        """Returns the upright size; images are never scaled down, so too many pixels are a `limit`."""
        with _decoding():
            (width, height), resolution = _square(self._image, options.resolution)
        if width * height > options.max_pixels or max(width, height) > MAX_SIDE:
            raise DocumentError(
                FailureKind.LIMIT,
                f"the image has {width} x {height} pixels; at most {options.max_pixels} (max_pixels) with no "
                f"side over {MAX_SIDE} are read",
            )
        with _decoding():  # only now: to look for EXIF in a PNG, Pillow decodes all of it
            turned = self._image.getexif().get(_ORIENTATION, 1) in _TURNED
        return Canvas(height, width, resolution) if turned else Canvas(width, height, resolution)

    def render(self, options: RenderOptions) -> Raster:
        """Returns the frame upright, on white, with square pixels.

        The resolution is the file's own where it is believable (100 to 1200 dpi), else `options.resolution`.
        """
        canvas = self.canvas(options)
        with _decoding():
            size, _ = _square(self._image, options.resolution)
            self._image.load()
            image = _flatten(self._image, "L" if options.color == "gray" else "RGB")
            if image.size != size:
                image = image.resize(size, Image.Resampling.LANCZOS)
            image.getexif()[_ORIENTATION] = self._image.getexif().get(_ORIENTATION, 1)
            image = ImageOps.exif_transpose(image)
        return Raster(np.array(image, dtype=np.uint8), canvas.resolution)

    def close(self) -> None:
        """The file keeps its one decoder: nothing to free."""


def _square(image: Image.Image, assumed: int) -> tuple[tuple[int, int], int]:
    """Returns the size with square pixels, and the dpi to tell."""
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


def _flatten(image: Image.Image, mode: str) -> Image.Image:
    """Returns any Pillow mode as `L` or `RGB` on white."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_to_8_bit(np.asarray(image))).convert(mode)
    if "transparency" in image.info or image.mode in {"LA", "PA", "RGBA", "La", "RGBa"}:
        with_alpha = image.convert("RGBA")
        white = Image.new("RGBA", with_alpha.size, "white")
        white.alpha_composite(with_alpha)
        return white.convert(mode)
    return image.convert("RGB").convert(mode) if image.mode in {"P", "CMYK"} else image.convert(mode)


def _to_8_bit(samples: NDArray[Any]) -> Pixels:
    """Scales deep gray to 8 bits: 16-bit (and 12-bit) samples by their range, others by their extremes."""
    if samples.dtype.itemsize == 2:
        return (samples.astype(np.uint16) >> (8 if samples.max() > 4095 else 4)).astype(np.uint8)
    values = np.nan_to_num(samples.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high <= 65535 and samples.dtype.kind == "i":
        low, high = 0.0, 65535.0
    scaled: Pixels = ((values - low) * (255 / ((high - low) or 1.0))).astype(np.uint8)
    return scaled

"""Pictures as pages of a PDF, at their own dpi."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Self

import numpy as np
import pikepdf
from PIL import Image

from inkstream.ocr_core.documents.document import Document
from inkstream.ocr_core.documents.opening import open_document
from inkstream.ocr_core.errors import DocumentError
from inkstream.ocr_core.options import RenderOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import Failure, PageResult
from inkstream.ocr_core.pixels import Pixels

_POINTS_PER_INCH = 72
_COLOURS = {1: pikepdf.Name.DeviceGray, 3: pikepdf.Name.DeviceRGB, 4: pikepdf.Name.DeviceCMYK}
_MODES = {"L": 1, "RGB": 3, "CMYK": 4}
_ORIENTATION = 0x0112
_TURN = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}
"""EXIF's orientation as a matrix that shows the stored picture upright in the unit square."""


class ImagePages:
    """A writer of an image file's pictures as PDF pages.

    Args:
        source: The file.
        pdf: Receives the pages.
        limits: Limits of the file's size and pages.

    Raises:
        DocumentError: If the file cannot be opened.
    """

    def __init__(self, source: Path, pdf: pikepdf.Pdf, limits: LimitOptions) -> None:
        self._source = source
        self._pdf = pdf
        self._document: Document = open_document(source, limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._document.close()

    def append(self, result: PageResult) -> pikepdf.Page:
        """Append the picture that `result` was read from, or a page with the reason if it cannot be decoded."""
        pixels = (result.width or 0) * (result.height or 0)
        default = RenderOptions(color="rgb")
        options = default.model_copy(
            update={
                "max_pixels": max(default.max_pixels, pixels),
                "resolution": result.resolution or default.resolution,
            }
        )
        try:
            page = self._document.page(result.pagenum or 0)
            canvas = page.canvas(options)
            jpeg = _jpeg(self._source) if self._document.info.format == "jpeg" else None
            picture, turn = jpeg or (_lossless(page.render(options).pixels), _TURN[1])
        except DocumentError as error:
            return self._notice(result.failure or Failure(error.kind, error.message))
        size = [side * _POINTS_PER_INCH / canvas.resolution for side in (canvas.width, canvas.height)]
        matrix = " ".join(f"{value * size[index % 2]:.4f}" for index, value in enumerate(turn))
        return self._add(size, f"q {matrix} cm /Picture Do Q\n", {"/XObject": {"/Picture": self._stream(picture)}})

    def _stream(self, picture: tuple[bytes, pikepdf.Dictionary]) -> pikepdf.Object:
        data, about = picture
        return pikepdf.Stream(self._pdf, data, about)

    def _notice(self, failure: Failure) -> pikepdf.Page:
        """Append a letter-size page with the reason, in place of a picture that cannot be shown."""
        words = f"This page could not be read: {failure.kind}: {failure.message}".split()
        lines = [""]
        for word in words:
            if len(lines[-1]) + len(word) > 80:
                lines.append("")
            lines[-1] += f"{word} "
        shown = " ".join(f"<{line.encode('cp1252', 'replace').hex()}> Tj T*" for line in lines)
        font = {"/Type": pikepdf.Name.Font, "/Subtype": pikepdf.Name.Type1, "/BaseFont": pikepdf.Name.Helvetica}
        content = f"BT /Notice 11 Tf 14 TL 72 700 Td {shown} ET\n"
        return self._add([612, 792], content, {"/Font": {"/Notice": font}})

    def _add(self, size: list[float], content: str, resources: dict[str, object]) -> pikepdf.Page:
        page = self._pdf.add_blank_page(page_size=(size[0], size[1]))
        page.obj.Resources = pikepdf.Dictionary(resources)
        page.obj.Contents = self._pdf.make_stream(content.encode("ascii"))
        return page


def _jpeg(source: Path) -> tuple[tuple[bytes, pikepdf.Dictionary], tuple[int, ...]] | None:
    """Return the file's bytes, their PDF dictionary and the matrix that turns them; None if a PDF cannot hold them."""
    with Image.open(source, formats=["JPEG"]) as image:
        if image.mode not in _MODES or image.format != "JPEG":
            return None
        about = _about(image.size, _MODES[image.mode], 8)
        about.Filter = pikepdf.Name.DCTDecode
        if image.mode == "CMYK" and "adobe" in image.info:  # Adobe stores inks inverted
            about.Decode = pikepdf.Array([1, 0] * 4)
        turn = _TURN.get(image.getexif().get(_ORIENTATION, 1), _TURN[1])
    return (source.read_bytes(), about), turn


def _lossless(pixels: Pixels) -> tuple[bytes, pikepdf.Dictionary]:
    """Return the picture in the smallest format that holds it: black and white, gray or RGB."""
    if (
        pixels.ndim == 3
        and np.array_equal(pixels[..., 0], pixels[..., 1])
        and np.array_equal(pixels[..., 1], pixels[..., 2])
    ):
        pixels = pixels[..., 0]
    height, width = pixels.shape[:2]
    bits = 8
    if pixels.ndim == 2 and not np.any((pixels != 0) & (pixels != 255)):
        pixels, bits = np.packbits(pixels != 0, axis=1), 1
    about = _about((width, height), 3 if pixels.ndim == 3 else 1, bits)
    about.Filter = pikepdf.Name.FlateDecode
    return zlib.compress(pixels.tobytes()), about


def _about(size: tuple[int, int], samples: int, bits: int) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=size[0],
        Height=size[1],
        ColorSpace=_COLOURS[samples],
        BitsPerComponent=bits,
    )

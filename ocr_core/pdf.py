"""PDF files through PDFium."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2 as pdfium

from ocr_core.document import MAX_SIDE, Canvas, Document, DocumentPage, Raster
from ocr_core.engines.text_layer import extract_words
from ocr_core.errors import DocumentError, FailureKind
from ocr_core.page import DocumentInfo

if TYPE_CHECKING:
    from ocr_core.layout import Word
    from ocr_core.options import RenderOptions

_ERR_PASSWORD = 4
_ERR_SECURITY = 5
_POINTS_PER_INCH = 72


def _scale(resolution: int) -> float:
    """Returns pixels a point, a hair less: 11 inch at 300 dpi would else be rounded up to 3301 pixels."""
    return resolution / _POINTS_PER_INCH * (1 - 1e-9)


def open_pdf(path: Path) -> PdfFile:
    """Opens a PDF.

    Raises:
        DocumentError: `encrypted` when it needs a password, `corrupt` when no page can be found.
    """
    try:
        raw = pdfium.PdfDocument(path.absolute())
    except pdfium.PdfiumError as error:
        raise _why_not_opened(error) from error
    except OSError as error:
        raise DocumentError(FailureKind.UNREADABLE, f"cannot be read: {error.strerror or error}") from error
    if raw.get_formtype() != pdfium.raw.FORMTYPE_NONE:
        raw.init_forms()
    return PdfFile(raw)


def _why_not_opened(error: Exception) -> DocumentError:
    """Trusts PDFium's error code only where it names a password: it also says "Success" for a broken file."""
    if getattr(error, "err_code", None) in {_ERR_PASSWORD, _ERR_SECURITY}:
        return DocumentError(FailureKind.ENCRYPTED, "the PDF is encrypted and needs a password to open")
    return DocumentError(FailureKind.CORRUPT, "the PDF is damaged: no page can be found in it")


class PdfFile(Document):
    """An open PDF."""

    def __init__(self, raw: pdfium.PdfDocument) -> None:
        self._raw = raw
        self.info = DocumentInfo("pdf", len(raw))

    def page(self, pagenum: int) -> PdfPage:
        """Opens one page, 0-based. Raises DocumentError `corrupt` when it cannot be loaded."""
        try:
            return PdfPage(self._raw.get_page(pagenum))
        except (pdfium.PdfiumError, IndexError) as error:
            message = f"page {pagenum + 1} of {self.info.pages} is damaged: it cannot be loaded"
            raise DocumentError(FailureKind.CORRUPT, message) from error

    def close(self) -> None:
        """Frees the file and its pages."""
        self._raw.close()


class PdfPage(DocumentPage):
    """One page of an open PDF."""

    def __init__(self, raw: pdfium.PdfPage) -> None:
        self._raw = raw

    def canvas(self, options: RenderOptions) -> Canvas:
        """Returns the rendered size: at `resolution`, or the highest dpi below it that fits `max_pixels`."""
        width, height = (side / _POINTS_PER_INCH for side in self._raw.get_size())
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise DocumentError(FailureKind.CORRUPT, f"the page has no usable size ({width:g} x {height:g} inch)")
        fitting = min(math.sqrt(options.max_pixels / (width * height)), MAX_SIDE / max(width, height))
        resolution = min(options.resolution, math.floor(fitting))
        if resolution < min(options.min_resolution, options.resolution):
            raise DocumentError(
                FailureKind.LIMIT,
                f"a page of {width:.1f} x {height:.1f} inch would fit max_pixels ({options.max_pixels}) only "
                f"at {resolution} dpi; less than {options.min_resolution} is not read (min_resolution)",
            )
        scale = _scale(resolution)
        across, down = (max(1, math.ceil(side * scale)) for side in self._raw.get_size())
        return Canvas(across, down, resolution)

    def render(self, options: RenderOptions) -> Raster:
        """Returns the page as pixels, annotations and form fields drawn."""
        resolution = self.canvas(options).resolution
        gray = options.color == "gray"
        try:
            bitmap = self._raw.render(
                scale=_scale(resolution),
                grayscale=gray,
                rev_byteorder=not gray,
                limit_image_cache=True,
            )
        except pdfium.PdfiumError as error:
            raise DocumentError(FailureKind.CORRUPT, f"the page cannot be rendered: {error}") from error
        try:
            pixels = np.array(bitmap.to_numpy(), dtype=np.uint8)
        finally:
            bitmap.close()
        return Raster(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels, resolution)

    def words(self, canvas: Canvas) -> list[Word] | None:
        """Returns the words of the text layer, boxes in `canvas` pixels; None where there is no text."""
        return extract_words(self._raw, canvas)

    def close(self) -> None:
        """Frees the page."""
        self._raw.close()

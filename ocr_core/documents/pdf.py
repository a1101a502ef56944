"""PDF files through PDFium."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pypdfium2 as pdfium

from inkstream.ocr_core.documents.document import Canvas, Document, DocumentPage, Raster
from inkstream.ocr_core.documents.pdf_repair import NOTE, Repaired, encrypted, pages_in_tree, repair
from inkstream.ocr_core.documents.pdf_text import extract_words
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.page import DocumentInfo
from inkstream.ocr_core.pixels import MAX_SIDE

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RenderOptions
    from inkstream.ocr_core.text.layer import LayerWord

_ERR_PASSWORD = 4
_ERR_SECURITY = 5
_POINTS_PER_INCH = 72

_BELIEVED = 10
"""A file's stated page count is believed up to this many times the pages found, because pages may be lost."""


def _scale(resolution: int) -> float:
    """Return pixels per point, less a hair: otherwise 11 inches at 300 dpi would be rounded up to 3301 pixels."""
    return resolution / _POINTS_PER_INCH * (1 - 1e-9)


def open_pdf(path: Path, passwords: Sequence[str] = ()) -> PdfFile:
    """Open a PDF; repair it first if PDFium finds no page in it.

    Args:
        path: The file.
        passwords: Tried in order after the empty one, if the PDF needs one.

    Raises:
        DocumentError: `encrypted` if no password fits, `corrupt` if no page can be found, `empty` if a sound PDF has
            none, `unreadable` if the file cannot be opened.
    """
    for number, password in enumerate((None, *passwords)):
        try:
            opened = pdfium.PdfDocument(path.absolute(), password=password)
        except pdfium.PdfiumError as error:
            code = getattr(error, "err_code", None)
            if code == _ERR_SECURITY:
                raise DocumentError(
                    FailureKind.ENCRYPTED, "the PDF is protected by a scheme other than passwords"
                ) from error
            if code != _ERR_PASSWORD:
                break  # damaged; PDFium's code says no more than that, and may even be "Success"
            if number == len(passwords):
                raise encrypted(passwords) from error
        except OSError as error:
            raise DocumentError(FailureKind.UNREADABLE, f"cannot be read: {error.strerror or error}") from error
        else:
            if len(opened):
                return _opened(opened, path, passwords)
            opened.close()
            break
    copy, pages = _repaired(path, passwords)
    return PdfFile(copy, pages, notes=(NOTE,))


def _opened(raw: pdfium.PdfDocument, path: Path, passwords: Sequence[str]) -> PdfFile:
    """Return a PDF that PDFium can read, with its true page count.

    PDFium believes the page count that a file states, and does not see pages beyond it.
    """
    stated, in_tree = len(raw), pages_in_tree(path, passwords)
    spare = partial(_same_pages, path, passwords)
    if in_tree and not in_tree <= stated <= _BELIEVED * in_tree:
        return PdfFile(raw, in_tree, spare, (f"the file says that it has {stated} pages; {in_tree} are in it",))
    return PdfFile(raw, stated, spare)


def _repaired(path: Path, passwords: Sequence[str]) -> tuple[pdfium.PdfDocument, int]:
    """Return a repaired copy and the file's number of pages, including lost ones.

    Raises:
        DocumentError: If the copy has no page either.
    """
    repaired = repair(path, passwords)
    opened = _open_copy(repaired)
    left = len(opened)
    return opened, repaired.claimed if left < repaired.claimed <= _BELIEVED * left else left


def _same_pages(path: Path, passwords: Sequence[str]) -> pdfium.PdfDocument:
    """Open a repaired copy whose pages have the same numbers as in the file.

    Raises:
        DocumentError: If a repair changes the numbers, or is not possible.
    """
    repaired = repair(path, passwords)
    if repaired.renumbered:
        repaired.copy.close()
        raise DocumentError(FailureKind.CORRUPT, "the PDF is damaged: a repair changes the numbers of its pages")
    return _open_copy(repaired)


def _open_copy(repaired: Repaired) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(repaired.copy, autoclose=True)
    except pdfium.PdfiumError as error:
        repaired.copy.close()
        message = "the PDF is damaged: no page can be found in it, even after a repair by qpdf"
        raise DocumentError(FailureKind.CORRUPT, message) from error


class PdfFile(Document):
    """An open PDF.

    Args:
        raw: PDFium's document.
        pages: Number of pages of the file; those that `raw` does not have are lost.
        spare: Opens a repaired copy, for pages that cannot be loaded; None if `raw` is a repaired copy itself.
        notes: Remarks for the rows of all pages.
    """

    def __init__(
        self,
        raw: pdfium.PdfDocument,
        pages: int,
        spare: Callable[[], pdfium.PdfDocument] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._raw = _with_forms(raw)
        self._spare = spare
        self._copy: pdfium.PdfDocument | None = None
        self._is_copy = spare is None
        self.info = DocumentInfo("pdf", pages, notes)

    def page(self, pagenum: int) -> PdfPage:
        """Open one page, 0-based, from a repaired copy if necessary.

        Raises:
            DocumentError: `corrupt` if it cannot be loaded.
        """
        where = f"page {pagenum + 1} of {self.info.pages}"
        try:
            if self._is_copy:
                return PdfPage(_not_blank(self._raw, pagenum))
            return PdfPage(self._raw.get_page(pagenum))
        except (pdfium.PdfiumError, IndexError) as error:
            repaired = self._repaired_page(pagenum)
            if repaired is None:
                why = "lost: a repair did not bring it back" if self._is_copy else "damaged: it cannot be loaded"
                raise DocumentError(FailureKind.CORRUPT, f"{where} is {why}") from error
            return repaired

    def _repaired_page(self, pagenum: int) -> PdfPage | None:
        """Return a page of the repaired copy; None if no copy has the same pages, or if the page is lost."""
        if self._spare is not None:
            with contextlib.suppress(DocumentError):
                self._copy = _with_forms(self._spare())
            self._spare = None
        if self._copy is None or len(self._copy) != self.info.pages:
            return None
        try:
            return PdfPage(_not_blank(self._copy, pagenum), (NOTE,))
        except (pdfium.PdfiumError, IndexError):
            return None

    def close(self) -> None:
        """Close the file and its pages."""
        self._raw.close()
        if self._copy is not None:
            self._copy.close()


def _not_blank(copy: pdfium.PdfDocument, pagenum: int) -> pdfium.PdfPage:
    """Load a page of a repaired copy; raise IndexError if it is blank, as qpdf leaves pages whose content is lost."""
    page = copy.get_page(pagenum)
    if next(page.get_objects(max_depth=1), None) is None:
        page.close()
        raise IndexError(pagenum)
    return page


def _with_forms(raw: pdfium.PdfDocument) -> pdfium.PdfDocument:
    if raw.get_formtype() != pdfium.raw.FORMTYPE_NONE:
        raw.init_forms()
    return raw


class PdfPage(DocumentPage):
    """One page of an open PDF.

    Args:
        raw: PDFium's page.
        notes: Remarks for the page's row.
    """

    def __init__(self, raw: pdfium.PdfPage, notes: tuple[str, ...] = ()) -> None:
        self._raw = raw
        self._origin = self.notes = notes

    def canvas(self, options: RenderOptions) -> Canvas:
        """Return the rendered size, at `resolution` or at the highest lower dpi that fits `max_pixels`."""
        width, height = (side / _POINTS_PER_INCH for side in self._raw.get_size())
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise DocumentError(FailureKind.CORRUPT, f"the page has no usable size ({width:g} x {height:g} inch)")
        fitting = min(math.sqrt(options.max_pixels / (width * height)), MAX_SIDE / max(width, height))
        resolution = min(options.resolution, math.floor(fitting))
        if resolution < min(options.min_resolution, options.resolution):
            raise DocumentError(
                FailureKind.LIMIT,
                f"a page of {width:.1f} x {height:.1f} inch would fit max_pixels ({options.max_pixels}) only "
                f"at {resolution} dpi; pages under {options.min_resolution} dpi are not read (min_resolution)",
            )
        if resolution < options.resolution:
            self.notes = (*self._origin, f"rendered at {resolution} dpi to fit max_pixels")
        scale = _scale(resolution)
        across, down = (max(1, math.ceil(side * scale)) for side in self._raw.get_size())
        return Canvas(across, down, resolution)

    def render(self, options: RenderOptions) -> Raster:
        """Return the page as pixels, with annotations and form fields."""
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
        if pixels.min() == 255:
            self._require_readable_pictures()
        return Raster(pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels, resolution)

    def _require_readable_pictures(self) -> None:
        """Raise DocumentError if the page is blank only because PDFium left out a picture that it cannot decode."""
        for picture in self._raw.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE]):
            try:
                picture.get_bitmap().close()
            except pdfium.PdfiumError as error:
                raise DocumentError(FailureKind.CORRUPT, "a picture on the page cannot be decoded") from error

    def words(self, canvas: Canvas) -> list[LayerWord] | None:
        """Return the words of the text layer, boxes in `canvas` pixels; None if there is no text."""
        return extract_words(self._raw, canvas)

    def close(self) -> None:
        """Close the page."""
        self._raw.close()

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
from inkstream.ocr_core.documents.pdf_forms import attachment_notes, draw_forms, hide, require_content, xfa_notes
from inkstream.ocr_core.documents.pdf_pictures import broken_picture_notes
from inkstream.ocr_core.documents.pdf_repair import NOTE, Repaired, encrypted, repair, survey
from inkstream.ocr_core.documents.pdf_survey import Survey
from inkstream.ocr_core.documents.pdf_text import extract_words
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.page import DocumentInfo
from inkstream.ocr_core.pixels import MAX_SIDE

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RenderOptions
    from inkstream.ocr_core.text.words import LayerWord

_ERR_PASSWORD = 4
_ERR_SECURITY = 5
_POINTS_PER_INCH = 72

_NOT_ENCRYPTED = -1
"""PDFium's revision of a file without encryption."""

_LEAST_SIDE = 0.5
"""Inches; a page whose UserUnit makes it smaller is read as if it had none."""

_BELIEVED = 10
"""A file's stated page count is believed up to this many times the pages found, because pages may be lost."""


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
    copy, pages, holds = _repaired(path, passwords)
    return PdfFile(copy, pages, holds, notes=(NOTE, *_notes_on(copy, holds)))


def _opened(raw: pdfium.PdfDocument, path: Path, passwords: Sequence[str]) -> PdfFile:
    """Return a PDF that PDFium can read, with its true page count.

    PDFium believes the page count that a file states, and does not see pages beyond it.
    """
    stated, holds = len(raw), survey(path, passwords)
    spare, notes = partial(_same_pages, path, passwords), _notes_on(raw, holds)
    in_tree, holds = (holds.pages, holds) if holds else (0, Survey(0))
    if in_tree and not in_tree <= stated <= _BELIEVED * in_tree:
        wrong = f"the file says that it has {stated} pages; {in_tree} are in it"
        return PdfFile(raw, in_tree, holds, spare, (wrong, *notes))
    return PdfFile(raw, stated, holds, spare, notes)


def _notes_on(raw: pdfium.PdfDocument, holds: Survey | None) -> tuple[str, ...]:
    """Return notes about what the document holds in addition to its pages."""
    count = holds.embedded if holds else raw.count_attachments()
    if not count:
        return xfa_notes(raw)
    is_locked = holds is None and pdfium.raw.FPDF_GetSecurityHandlerRevision(raw.raw) != _NOT_ENCRYPTED
    files = f"{'encrypted ' if is_locked else ''}embedded document{'s' if count > 1 else ''}"
    return (f"the PDF has {count} {files} that {'were' if count > 1 else 'was'} not read", *xfa_notes(raw))


def _repaired(path: Path, passwords: Sequence[str]) -> tuple[pdfium.PdfDocument, int, Survey]:
    """Return a repaired copy, the file's number of pages, including lost ones, and what the copy holds.

    Raises:
        DocumentError: If the copy has no page either.
    """
    repaired = repair(path, passwords)
    opened = _open_copy(repaired)
    left = len(opened)
    pages = repaired.claimed if left < repaired.claimed <= _BELIEVED * left else left
    return opened, pages, repaired.survey


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
        holds: What qpdf found in it.
        spare: Opens a repaired copy, for pages that cannot be loaded; None if `raw` is a repaired copy itself.
        notes: Remarks for the rows of all pages.
    """

    def __init__(
        self,
        raw: pdfium.PdfDocument,
        pages: int,
        holds: Survey,
        spare: Callable[[], pdfium.PdfDocument] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self._raw = draw_forms(raw)
        self._holds = holds
        self._spare = spare
        self._copy: pdfium.PdfDocument | None = None
        self._is_copy = spare is None
        self.info = DocumentInfo("pdf", pages, notes)

    def page(self, pagenum: int) -> PdfPage:
        """Open one page, 0-based, from a repaired copy if necessary.

        Raises:
            DocumentError: `corrupt` if it cannot be loaded, `unsupported` for the placeholder of an XFA form.
        """
        where = f"page {pagenum + 1} of {self.info.pages}"
        try:
            if self._is_copy:
                return self._prepared(_not_blank(self._raw, pagenum), pagenum)
            return self._prepared(self._raw.get_page(pagenum), pagenum)
        except (pdfium.PdfiumError, IndexError) as error:
            repaired = self._repaired_page(pagenum)
            if repaired is None:
                why = "lost: a repair did not bring it back" if self._is_copy else "damaged: it cannot be loaded"
                raise DocumentError(FailureKind.CORRUPT, f"{where} is {why}") from error
            return repaired

    def _prepared(self, raw: pdfium.PdfPage, pagenum: int, notes: tuple[str, ...] = ()) -> PdfPage:
        """Return a loaded page of which only the visible annotations are drawn."""
        page = PdfPage(raw, (*notes, *attachment_notes(raw)), self._holds.units.get(pagenum, 1.0))
        hide(raw, self._holds.hidden.get(pagenum, ()))
        if self.info.pages == 1:
            try:
                require_content(self._raw, raw)
            except DocumentError:
                page.close()
                raise
        return page

    def _repaired_page(self, pagenum: int) -> PdfPage | None:
        """Return a page of the repaired copy; None if no copy has the same pages, or if the page is lost."""
        if self._spare is not None:
            with contextlib.suppress(DocumentError):
                self._copy = draw_forms(self._spare())
            self._spare = None
        if self._copy is None or len(self._copy) != self.info.pages:
            return None
        try:
            return self._prepared(_not_blank(self._copy, pagenum), pagenum, (NOTE,))
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


class PdfPage(DocumentPage):
    """One page of an open PDF.

    Args:
        raw: PDFium's page.
        notes: Remarks for the page's row.
        unit: Size of its user space unit, in 1/72 inch (`/UserUnit`).
    """

    def __init__(self, raw: pdfium.PdfPage, notes: tuple[str, ...] = (), unit: float = 1.0) -> None:
        self._raw = raw
        self.notes = notes
        self._unit = unit

    def canvas(self, options: RenderOptions) -> Canvas:
        """Return the rendered size, at `resolution` or at the highest lower dpi that fits `max_pixels`."""
        self._settle_unit(options)
        width, height = self._inches()
        if not (0 < width < math.inf and 0 < height < math.inf):
            raise DocumentError(FailureKind.CORRUPT, f"the page has no usable size ({width:g} x {height:g} inch)")
        resolution = min(options.resolution, _fitting(width, height, options))
        if resolution < min(options.min_resolution, options.resolution):
            raise DocumentError(
                FailureKind.LIMIT,
                f"a page of {width:.1f} x {height:.1f} inch would fit max_pixels ({options.max_pixels}) only "
                f"at {resolution} dpi; pages under {options.min_resolution} dpi are not read (min_resolution)",
            )
        if resolution < options.resolution:
            self._add_note(f"rendered at {resolution} dpi to fit max_pixels")
        scale = self._scale(resolution)
        across, down = (max(1, math.ceil(side * scale)) for side in self._raw.get_size())
        return Canvas(across, down, resolution)

    def _scale(self, resolution: int) -> float:
        """Return pixels per unit, less a hair: otherwise 11 inches at 300 dpi would be rounded up to 3301 pixels."""
        return resolution / _POINTS_PER_INCH * self._unit * (1 - 1e-9)

    def _inches(self) -> tuple[float, float]:
        width, height = (side / _POINTS_PER_INCH * self._unit for side in self._raw.get_size())
        return width, height

    def _settle_unit(self, options: RenderOptions) -> None:
        """Set an absurd unit to 1: one that makes the page too small to hold text, or too large to be read."""
        if self._unit == 1:
            return
        width, height = self._inches()
        least = min(options.min_resolution, options.resolution)
        is_usable = max(width, height) >= _LEAST_SIDE and _fitting(width, height, options) >= least
        if not is_usable:
            self._add_note(f"its UserUnit {self._unit:g} is ignored: it would be {width:.3g} x {height:.3g} inch")
            self._unit = 1.0

    def _add_note(self, note: str) -> None:
        if note not in self.notes:
            self.notes = (*self.notes, note)

    def render(self, options: RenderOptions) -> Raster:
        """Return the page as pixels, with annotations and form fields."""
        canvas = self.canvas(options)
        gray = options.color == "gray"
        try:
            bitmap = self._raw.render(
                scale=self._scale(canvas.resolution),
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
        for note in broken_picture_notes(self._raw, canvas, pixels):
            self._add_note(note)
        pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
        return Raster(pixels, canvas.resolution)

    def words(self, canvas: Canvas) -> list[LayerWord] | None:
        """Return the words of the text layer, boxes in `canvas` pixels; None if there is no text."""
        return extract_words(self._raw, canvas)

    def close(self) -> None:
        """Close the page."""
        self._raw.close()


def _fitting(width: float, height: float, options: RenderOptions) -> int:
    """Return the highest dpi at which a page of this size, in inches, fits `max_pixels`."""
    if not (0 < width < math.inf and 0 < height < math.inf):
        return 0
    return math.floor(min(math.sqrt(options.max_pixels / (width * height)), MAX_SIDE / max(width, height)))

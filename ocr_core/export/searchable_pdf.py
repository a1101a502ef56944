"""Results as a searchable PDF: the document's own pages, with the recognised text invisible at its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pikepdf

from inkstream.ocr_core.documents.formats import sniff
from inkstream.ocr_core.documents.pdf_repair import NOTE, encrypted, open_copyable
from inkstream.ocr_core.documents.pdf_survey import left_out
from inkstream.ocr_core.documents.pdf_text import EARLIER_OCR
from inkstream.ocr_core.documents.pdf_text import ENGINE as TEXT_LAYER
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.export.glyphless import GlyphlessFont
from inkstream.ocr_core.export.image_pages import ImagePages
from inkstream.ocr_core.export.invisible_text import placement, text_stream
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import PageResult

_LETTER = (0.0, 0.0, 612.0, 792.0)
"""Points; the size that PDFium assumes for a page without a usable one."""

_MOST_PARENTS = 64
_WHERE = re.compile(r"^stream <.*?['\"]>")
"""The start of qpdf's error messages, which names a temporary file."""


def searchable_pdf(
    source: Path,
    pages: Iterable[PageResult],
    target: Path,
    limits: LimitOptions | None = None,
    passwords: Sequence[str] = (),
) -> None:
    """Write a searchable PDF of a document and its results, in this process.

    A PDF is copied, and invisible text is added to its pages, except those whose text layer was used. Each picture of
    an image file becomes a page at its dpi: a JPEG unchanged, others without loss. A page that failed gets no text.

    Args:
        source: The document that was read: a PDF or an image.
        pages: Its results.
        target: The file to write.
        limits: `max_file_mb` and `max_pages` are checked.
        passwords: Tried in order on a PDF that needs one; the copy is encrypted in the same way.

    Raises:
        DocumentError: `encrypted` if the PDF needs another password, `corrupt` if it cannot be copied, or any error
            that opening an image raises.
    """
    limits = limits or LimitOptions()
    if sniff(source, limits) == "pdf":
        _copy_with_text(source, pages, target, passwords)
    else:
        _bind_images(source, pages, target, limits)


def _copy_with_text(source: Path, pages: Iterable[PageResult], target: Path, passwords: Sequence[str]) -> None:
    try:
        with open_copyable(source, passwords) as pdf:
            layer, renumbered = _LayerWriter(pdf), left_out(pdf) > 0
            for page in pages:
                if page.failure is None and page.pagenum is not None:
                    _require_same_pages(pdf, page, renumbered=renumbered)
                if page.failure is None and page.pagenum is not None and not _is_own(page.engine or ""):
                    layer.add(pdf.pages[page.pagenum], _without_own_text(page))
            layer.finish()
            _save(pdf, target)
    except pikepdf.PasswordError as error:
        raise encrypted(passwords) from error
    except pikepdf.PdfError as error:
        reason = _WHERE.sub("", str(error)).strip(": ")
        raise DocumentError(FailureKind.CORRUPT, f"the PDF is too damaged to be copied: {reason}") from error


def _is_own(engine: str) -> bool:
    """Return whether a text comes from the PDF itself, which has it already."""
    return set(engine.split("+")) <= {TEXT_LAYER, EARLIER_OCR}


def _without_own_text(page: PageResult) -> PageResult:
    """Return the page without the regions whose text the PDF has already."""
    return replace(page, regions=tuple(region for region in page.regions if not _is_own(region.engine)))


def _require_same_pages(pdf: pikepdf.Pdf, page: PageResult, *, renumbered: bool) -> None:
    """Raise DocumentError if pages have other numbers here than when they were read: text could land on a wrong one.

    A page that was read from a repaired copy has the same number here, because qpdf also made that copy.
    """
    found, total = len(pdf.pages), page.total_pages or 0
    if (renumbered or found != total) and not (NOTE in page.notes and (page.pagenum or 0) < found):
        raise DocumentError(
            FailureKind.CORRUPT,
            f"the PDF is damaged: the pages that can be copied ({found}) are not those that were counted ({total}), so "
            "text could land on the wrong page; repair the PDF first, or export text, hOCR or ALTO",
        )


def _bind_images(source: Path, pages: Iterable[PageResult], target: Path, limits: LimitOptions) -> None:
    with pikepdf.new() as pdf, ImagePages(source, pdf, limits) as pictures:
        layer = _LayerWriter(pdf)
        for page in pages:
            if page.pagenum is not None:
                layer.add(pictures.append(page), page)
        layer.finish()
        _save(pdf, target)


def _save(pdf: pikepdf.Pdf, target: Path) -> None:
    if pdf.is_encrypted:  # the copy keeps the password and the owner's restrictions
        pdf.save(target, encryption=True)
    else:
        pdf.save(target, deterministic_id=True)


class _LayerWriter:
    """A writer of invisible text on the pages of one PDF."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._font = GlyphlessFont()
        self._object: pikepdf.Object | None = None

    def add(self, page: pikepdf.Page, result: PageResult) -> None:
        """Add the text before the page's own content, whose graphics state could move it."""
        if not (result.text and result.width and result.height):
            return
        place = placement(visible_box(page), int(_inherited(page, "/Rotate") or 0), result.width, result.height)
        name = self._name_in(resources := _own_resources(page))
        stream = text_stream(result, place, self._font, name)
        if not stream:
            return
        if self._object is None:
            self._object = self._font.add_to(self._pdf)
        resources.Font[name] = self._object
        page.obj.Resources = resources
        page.contents_add(self._pdf.make_stream(stream), prepend=True)

    def finish(self) -> None:
        """Complete the font, if it was needed."""
        if self._object is not None:
            self._font.finish(self._pdf, self._object)

    @staticmethod
    def _name_in(resources: pikepdf.Dictionary) -> str:
        taken = set(resources.Font.keys())
        return next(name for number in range(len(taken) + 1) if (name := f"/Inkstream{number}") not in taken)


def visible_box(page: pikepdf.Page) -> tuple[float, float, float, float]:
    """Return the visible part of a page in user space, by PDFium's rules: the crop box within the media box."""
    media = _box(_inherited(page, "/MediaBox")) or _LETTER
    crop = _box(_inherited(page, "/CropBox"))
    if crop is None:
        return media
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if left < right and bottom < top else media


def _box(value: object) -> tuple[float, float, float, float] | None:
    """Return a rectangle given by any two opposite corners; None if `value` is not one, or is empty."""
    try:
        x1, y1, x2, y2 = (float(number) for number in value)  # type: ignore[attr-defined]
    except (TypeError, ValueError):
        return None
    box = (min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2))
    return box if box[0] < box[2] and box[1] < box[3] else None


def _inherited(page: pikepdf.Page, key: str) -> pikepdf.Object | None:
    """Return an attribute of the page, or of the nearest node above it that has the attribute."""
    node: pikepdf.Object | None = page.obj
    for _ in range(_MOST_PARENTS):
        if node is None:
            break
        if key in node:
            return node[key]
        node = node.get("/Parent")
    return None


def _own_resources(page: pikepdf.Page) -> pikepdf.Dictionary:
    """Copy the page's resources, which other pages may share, down to the names of the fonts."""
    shared = _inherited(page, "/Resources")
    own = pikepdf.Dictionary(dict(shared.items()) if isinstance(shared, pikepdf.Dictionary) else {})
    fonts = own.get("/Font")
    own.Font = pikepdf.Dictionary(dict(fonts.items()) if isinstance(fonts, pikepdf.Dictionary) else {})
    return own

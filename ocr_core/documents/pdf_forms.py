"""Form fields and annotations of a PDF: what is drawn, and what a picture of the page cannot show."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pypdfium2 as pdfium
from pypdfium2 import raw

from inkstream.ocr_core.errors import DocumentError, FailureKind

_HIDDEN = 2
"""The annotation flag that hides it on the screen and on paper."""

_PLACEHOLDER = re.compile(r"adobe|acrobat|please wait|xfa", re.IGNORECASE)
_PLACEHOLDER_MOST = 2000
"""Characters; Adobe's own placeholder has about 700 in each language, and names Adobe Reader in all of them."""


def draw_forms(document: pdfium.PdfDocument) -> pdfium.PdfDocument:
    """Make PDFium draw the form fields of a document that was just opened, and return the document.

    pypdfium2's `init_forms` does nothing if the catalog has no `/AcroForm`, but viewers draw such fields too.
    """
    logging.getLogger("pypdfium2").setLevel(logging.ERROR)  # it warns about XFA, which is a note in the rows
    if document.get_formtype() != raw.FORMTYPE_NONE:
        document.init_forms()
    else:
        config = raw.FPDF_FORMFILLINFO(version=2)
        environment = raw.FPDFDOC_InitFormFillEnvironment(document.raw, config)
        document.formenv = pdfium.PdfFormEnv(environment, config) if environment else None
    return document


def xfa_notes(document: pdfium.PdfDocument) -> tuple[str, ...]:
    """Return the note that a document is an XFA form; none for any other document."""
    kind = document.get_formtype()
    if kind == raw.FORMTYPE_XFA_FULL:
        return ("the PDF is a dynamic XFA form; its XFA content was not read",)
    if kind == raw.FORMTYPE_XFA_FOREGROUND:
        return ("the PDF is an XFA form; its pages were read as drawn, its XFA data was not read",)
    return ()


def require_content(document: pdfium.PdfDocument, page: pdfium.PdfPage) -> None:
    """Check that a page is not only the placeholder that a dynamic XFA form shows in viewers without XFA.

    Raises:
        DocumentError: `unsupported` if it is.
    """
    if document.get_formtype() not in (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND):
        return
    if any(raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET for annotation in annotations_of(page)):
        return
    text_page = page.get_textpage()
    try:
        if text_page.count_chars() > _PLACEHOLDER_MOST:
            return
        is_placeholder = _PLACEHOLDER.search(" ".join(text_page.get_text_range().split())) is not None
    finally:
        text_page.close()
    if is_placeholder:
        raise DocumentError(
            FailureKind.UNSUPPORTED,
            "the PDF is a dynamic XFA form: this page is only the placeholder that viewers without XFA show, and the "
            "form's content was not read; open the PDF in Adobe Acrobat and print it to a new PDF",
        )


def attachment_notes(page: pdfium.PdfPage) -> tuple[str, ...]:
    """Return a note with the number of files attached to annotations of the page, if there are any."""
    count = sum(
        raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_FILEATTACHMENT for annotation in annotations_of(page)
    )
    if not count:
        return ()
    return (f"the page has {count} attached {'files that were' if count > 1 else 'file that was'} not read",)


def hide(page: pdfium.PdfPage, places: Iterable[int]) -> None:
    """Hide the annotations at these positions in `/Annots`. The file does not change."""
    for place in places:
        with _annotation(page, place) as annotation:
            if annotation:
                raw.FPDFAnnot_SetFlags(annotation, raw.FPDFAnnot_GetFlags(annotation) | _HIDDEN)


def annotations_of(page: pdfium.PdfPage) -> Iterator[Any]:
    """Yield PDFium's handle of each annotation; it is closed when the next one is asked for."""
    for place in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        with _annotation(page, place) as annotation:
            if annotation:
                yield annotation


@contextmanager
def _annotation(page: pdfium.PdfPage, place: int) -> Iterator[Any]:
    annotation = raw.FPDFPage_GetAnnot(page.raw, place)
    try:
        yield annotation
    finally:
        if annotation:
            raw.FPDFPage_CloseAnnot(annotation)

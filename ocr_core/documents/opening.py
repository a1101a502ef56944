"""Open a file, whatever its format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from inkstream.ocr_core.documents.document import Document, too_many_pages
from inkstream.ocr_core.documents.formats import sniff
from inkstream.ocr_core.documents.passwords import pdf_passwords
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import DocumentInfo


def open_document(path: str | Path, limits: LimitOptions | None = None, passwords: Sequence[str] = ()) -> Document:
    """Open a PDF or an image in this process.

    Args:
        path: The file; it must not change while the document is open.
        limits: `max_file_mb` and `max_pages` are checked.
        passwords: Tried in order on a PDF that needs one.

    Raises:
        DocumentError: `empty`, `unsupported`, `limit`, `corrupt`, `encrypted` or `unreadable`.
    """
    limits = limits or LimitOptions()
    kind = sniff(path, limits)
    if kind == "pdf":
        from inkstream.ocr_core.documents.pdf import open_pdf

        document: Document = open_pdf(Path(path), passwords)
    else:
        from inkstream.ocr_core.documents.images import open_image

        document = open_image(Path(path), kind, limits.max_pages)
    if document.info.pages > limits.max_pages:
        document.close()
        raise too_many_pages(document.info.pages, limits.max_pages)
    return document


def probe(path: str | Path, limits: LimitOptions | None = None) -> DocumentInfo:
    """Return a file's format and number of pages. This decodes it in this process; `PageWorker` is safer.

    Args:
        path: The file.
        limits: `max_file_mb` and `max_pages` are checked.

    Raises:
        DocumentError: `empty`, `unsupported`, `limit`, `corrupt`, `encrypted` or `unreadable`.
    """
    with open_document(path, limits, pdf_passwords()) as document:
        return document.info

"""Page results in the formats that other programs read: plain text, JSON Lines, hOCR, ALTO, searchable PDF.

from ocr_core import read_document
from ocr_core.export import hocr

print(hocr(read_document("scan.pdf"), name="scan.pdf"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum

from ocr_core.export.alto import alto
from ocr_core.export.hocr import hocr
from ocr_core.export.json_lines import json_lines, page_json
from ocr_core.export.plain_text import page_text, plain_text
from ocr_core.page import PageResult

__all__ = ["TEXT_WRITERS", "ExportFormat", "alto", "hocr", "json_lines", "page_json", "page_text", "plain_text"]


class ExportFormat(StrEnum):
    """What a document's results can be written as."""

    TEXT = "text"
    JSON = "json"
    HOCR = "hocr"
    ALTO = "alto"
    PDF = "pdf"

    @property
    def extension(self) -> str:
        """What is put behind a document's own name, which keeps `a.png` and `a.pdf` apart."""
        return _EXTENSIONS[self]


_EXTENSIONS = {
    ExportFormat.TEXT: ".txt",
    ExportFormat.JSON: ".jsonl",
    ExportFormat.HOCR: ".hocr",
    ExportFormat.ALTO: ".alto.xml",
    ExportFormat.PDF: ".ocr.pdf",
}


def _text(pages: Iterable[PageResult], name: str) -> str:  # noqa: ARG001 - plain text names no file
    return plain_text(pages)


def _json(pages: Iterable[PageResult], name: str) -> str:  # noqa: ARG001 - what a line says is of the page
    return json_lines(pages)


TEXT_WRITERS: dict[ExportFormat, Callable[[Iterable[PageResult], str], str]] = {
    ExportFormat.TEXT: _text,
    ExportFormat.JSON: _json,
    ExportFormat.HOCR: hocr,
    ExportFormat.ALTO: alto,
}
"""What writes each format but PDF: pages and the document's name in, text out."""

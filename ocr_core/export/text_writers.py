"""What writes each format that is text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ocr_core.export.alto import alto
from ocr_core.export.export_format import ExportFormat
from ocr_core.export.hocr import hocr
from ocr_core.export.json_lines import json_lines
from ocr_core.export.plain_text import plain_text
from ocr_core.page import PageResult


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

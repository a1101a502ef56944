"""The writers of the text formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inkstream.ocr_core.export.alto import alto
from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.ocr_core.export.hocr import hocr
from inkstream.ocr_core.export.text import json_lines, plain_text
from inkstream.ocr_core.page import PageResult

TEXT_WRITERS: dict[ExportFormat, Callable[[Iterable[PageResult], str], str]] = {
    ExportFormat.TEXT: lambda pages, _name: plain_text(pages),
    ExportFormat.JSON: lambda pages, _name: json_lines(pages),
    ExportFormat.HOCR: hocr,
    ExportFormat.ALTO: alto,
}
"""For each format except PDF, a function from pages and the document's name to text."""

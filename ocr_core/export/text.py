"""Results as plain text, pages parted by form feeds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from typing import Any

from inkstream.ocr_core.export.alto import alto
from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.ocr_core.export.hocr import hocr
from inkstream.ocr_core.page import PageResult


def plain_text(pages: Iterable[PageResult]) -> str:
    """Returns the text of a document.

    The n-th page stands after n form feeds; a page that failed has no text there.
    """
    return "".join(map(page_text, pages))


def page_text(page: PageResult) -> str:
    """Returns one page's part of `plain_text`: a form feed unless it is the first, its text, a newline.

    A result that stands for no page has none.
    """
    if page.pagenum is None:
        return ""
    parting = "\f" if page.pagenum else ""
    return parting if page.text is None else f"{parting}{page.text}\n"


def json_lines(pages: Iterable[PageResult]) -> str:
    """Returns one line of JSON for each page; a failed one has `exception_kind` and `exception`."""
    return "".join(json.dumps(page_json(page), ensure_ascii=False) + "\n" for page in pages)


def page_json(page: PageResult) -> dict[str, Any]:
    """Returns a page as JSON-able data, with regions and without the overlay picture."""
    fields, _ = page.to_wire()
    fields["regions"] = [
        {
            "index": r.index,
            "parent": r.parent,
            "level": r.level.value,
            "box": dataclasses.asdict(r.box),
            "text": r.text,
            "confidence": r.confidence,
            "engine": r.engine,
        }
        for r in page.regions
    ]
    fields["routing"] = [dataclasses.asdict(decision) for decision in page.routing]
    failure = fields.pop("failure")
    fields["exception_kind"], fields["exception"] = failure or (None, None)
    del fields["overlay_format"]
    return fields


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

"""Results as JSON Lines, one page a line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from typing import Any

from ocr_core.page import PageResult


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

"""Results as plain text, pages separated by form feeds, and as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from inkstream.ocr_core.page import PageResult


def plain_text(pages: Iterable[PageResult]) -> str:
    """Return the text of a document.

    The page with the 0-based number n comes after n form feeds; a page that failed has no text there.
    """
    return "".join(map(page_text, pages))


def page_text(page: PageResult) -> str:
    """Return one page's part of `plain_text`: a form feed unless it is the first, its text, a newline.

    A result without a page number has no part in it.
    """
    if page.pagenum is None:
        return ""
    separator = "\f" if page.pagenum else ""
    return separator if page.text is None else f"{separator}{page.text}\n"


def json_lines(pages: Iterable[PageResult]) -> str:
    """Return one line of JSON for each page; a failed one has `exception_kind` and `exception`."""
    return "".join(json.dumps(page_json(page), ensure_ascii=False) + "\n" for page in pages)


def page_json(page: PageResult) -> dict[str, Any]:
    """Return a page as data that JSON can hold, with regions and without the overlay picture."""
    fields, _ = page.to_wire()
    fields["exception_kind"], fields["exception"] = fields.pop("failure") or (None, None)
    del fields["overlay_format"]
    return fields

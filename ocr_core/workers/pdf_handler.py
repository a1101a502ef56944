"""Making a searchable PDF inside the sandbox's child, because copying a hostile document is as risky as reading it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inkstream.ocr_core.export.searchable_pdf import searchable_pdf
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import PageResult


def handle(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer one request of `PdfWriter`.

    Args:
        request: The paths `source`, `pages` (a JSON Lines file) and `target`; `limits` (JSON); `passwords` for a PDF
            that needs one.

    Raises:
        DocumentError: As in `searchable_pdf`.
    """
    limits = LimitOptions.model_validate_json(request["limits"])
    source, results, target = (Path(request[name]) for name in ("source", "pages", "target"))
    searchable_pdf(source, _pages(results), target, limits, request.get("passwords", ()))
    return {}, b""


def _pages(path: Path) -> Iterator[PageResult]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield PageResult.from_wire(json.loads(line), b"")

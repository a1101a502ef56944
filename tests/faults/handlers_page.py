"""Answers of a compromised page process."""

from __future__ import annotations

from typing import Any

from inkstream.ocr_core.page import PageResult


def escape(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer a probe with a billion pages, and a page with an overlay whose format is a path."""
    if request["op"] == "probe":
        return {"format": "pdf", "pages": 1_000_000_000}, b""
    result = PageResult(0, 1, text="harmless", overlay=b"bytes", overlay_format="j/../../../escaped")
    return result.to_wire()

"""Notes on results that are probably wrong: no word on a page that has ink, or a very low confidence.

Ink, measured on 84 real pages of 14 kinds and on 45 blank sheets with grain, dust, holes, folds and a dark border:
every page has at least 24 shapes as large as letters, and no sheet more than 13. Confidence, chosen on one half of 55
pages and checked on the other: each page under `LOW` has less than two thirds of its words right (F1 at most 0.65), and
each page with an F1 over 0.76 is above it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkstream.ocr_core.stages.unread_ink import has_ink

if TYPE_CHECKING:
    from inkstream.ocr_core.stages.stage import WorkingPage

EMPTY = "the page has ink, but no word was read"
UNSURE = "very low confidence: compare the text with the page"
LOW = 70.0
"""Confidence of a page, 0-100, under which its text is probably wrong."""


def suspicions(page: WorkingPage, *, has_lines: bool) -> tuple[str, ...]:
    """Return notes on what is probably wrong with a page that was read; none for most pages.

    Args:
        page: The page, after its last stage.
        has_lines: Whether lines were found on it, if its pixels are gone.
    """
    if not (page.text or "").strip():
        inked = has_lines if page.rendered is None else has_ink(page.rendered)
        return (EMPTY,) if inked else ()
    is_low = page.confidence is not None and page.confidence < LOW
    return (UNSURE,) if is_low else ()

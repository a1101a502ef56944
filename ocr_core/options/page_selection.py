"""Selections of a file's pages, as people write them: `1-3,7,last`."""

from __future__ import annotations

import re
from collections.abc import Sequence

_PART = re.compile(r"(\d{1,9}|last)(-(\d{1,9}|last)?)?")
_BEYOND = 10**9


def normalized(text: str) -> str:
    """Return a selection in its normal form: in lower case, without spaces.

    Raises:
        ValueError: If `text` is not a selection of pages.
    """
    parts = "".join(text.split()).lower().split(",")
    for part in parts:
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a page or a range of pages; write for example 1-3,7,last or 5-")
        first, last = (_number(end, _BEYOND) for end in (match[1], match[3] or match[1]))
        if 0 in (first, last):
            raise ValueError(f"{part!r}: pages are counted from 1")
        if first > last:
            raise ValueError(f"{part!r} runs backwards")
    return ",".join(parts)


def pages_of(selection: str | None, total: int) -> Sequence[int]:
    """Return the selected pages of a file, 0-based, in order, each once.

    Args:
        selection: As `normalized` returns it; None selects all.
        total: Pages of the file.
    """
    if selection is None:
        return range(total)
    chosen: set[int] = set()
    for part in selection.split(","):
        first, dash, last = part.partition("-")
        start = _number(first, total)
        end = _number(last, total) if last else total if dash else start
        chosen.update(range(start - 1, min(end, total)))
    return tuple(sorted(chosen))


def _number(text: str, total: int) -> int:
    return total if text == "last" else int(text)

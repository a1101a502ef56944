"""How values are written for a terminal and for programs."""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import unquote

TEXT_WIDTH = 60


def print_json(value: dict[str, Any]) -> None:
    """Prints one line of JSON on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def short_name(path: str) -> str:
    """Returns a `FileVersion.path`'s file name, decoded."""
    return unquote(path.rpartition("/")[2])


def one_line(text: str | None) -> str:
    """Returns text on one line of at most `TEXT_WIDTH` characters."""
    joined = " ".join((text or "").split())
    return joined if len(joined) <= TEXT_WIDTH else joined[: TEXT_WIDTH - 1] + "…"


def plain(text: str) -> str:
    """Keeps text from a document out of the terminal's control codes and rich's markup."""
    return visible(text).replace("[", "\\[")


def visible(text: str, keep: str = "") -> str:
    """Keeps text from a document, a name among them, out of the terminal's control codes."""
    return "".join(c if c.isprintable() or c in keep else "�" for c in text)


def human_bytes(count: int) -> str:
    """Returns a size such as `1.5 MiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def human_age(seconds: float) -> str:
    """Returns a length of time such as `3 min` or `2.5 h`, in one unit."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}" if seconds >= 10 * size else f"{seconds / size:.1f} {unit}"
    return f"{max(seconds, 0):.0f} s"

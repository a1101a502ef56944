"""Formats values for a terminal and for programs."""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import unquote

from inkstream.tasks.skipped import Skipped, SkipReason

TEXT_WIDTH = 60


def print_json(value: dict[str, Any]) -> None:
    """Print one line of JSON on standard output, with escapes for other letters if it is not in UTF-8."""
    is_utf_8 = (sys.stdout.encoding or "utf-8").lower().replace("_", "-") in ("utf-8", "utf8")
    sys.stdout.write(json.dumps(value, ensure_ascii=not is_utf_8, default=str) + "\n")
    sys.stdout.flush()


def short_name(path: str) -> str:
    """Return the file name of a `FileVersion.path`, decoded."""
    return unquote(path.rpartition("/")[2])


def page_of(name: str, pagenum: int | None) -> str:
    """Return the name of a page for people, who count pages from 1; without a page number, the file's name."""
    return name if pagenum is None else f"{name} page {pagenum + 1}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun, such as `1 page`, `2 batches`; give `plural` if it is irregular."""
    if count == 1:
        return f"1 {noun}"
    return f"{count} {plural or (noun + ('es' if noun.endswith('ch') else 's'))}"


def one_line(text: str | None) -> str:
    """Return text on one line of at most `TEXT_WIDTH` characters."""
    joined = " ".join((text or "").split())
    return joined if len(joined) <= TEXT_WIDTH else joined[: TEXT_WIDTH - 1] + "…"


def plain(text: str) -> str:
    """Return text from a document without control codes, and with rich's markup escaped."""
    return visible(text).replace("[", "\\[")


def visible(text: str, keep: str = "") -> str:
    """Return text from a document, or its name, with control codes replaced; those in `keep` stay."""
    return "".join(c if c.isprintable() or c in keep else "�" for c in text)


_SKIPPED = {
    SkipReason.HIDDEN: ("file whose name begins with _ or .", "files whose names begin with _ or ."),
    SkipReason.GLOB: ("file outside source.glob", "files outside source.glob"),
    SkipReason.OLD: ("file over source.max_file_age", "files over source.max_file_age"),
    SkipReason.UNSTABLE: ("file changed within source.stability_delay", "files changed within source.stability_delay"),
    SkipReason.FUTURE: (
        "file dated in the future, which waits (source.stability_delay)",
        "files dated in the future, which wait (source.stability_delay)",
    ),
    SkipReason.SUPERSEDED: ("file older than its rows in the table", "files older than their rows in the table"),
    SkipReason.SPECIAL: ("pipe, device or broken link", "pipes, devices or broken links"),
    SkipReason.UNREADABLE: ("file that cannot be looked at", "files that cannot be looked at"),
    SkipReason.UNREADABLE_FOLDER: ("folder that cannot be listed", "folders that cannot be listed"),
    SkipReason.HIDDEN_FOLDER: ("folder whose name begins with _ or .", "folders whose names begin with _ or ."),
    SkipReason.SYSTEM_FOLDER: ("folder of the file system", "folders of the file system"),
    SkipReason.ARCHIVED: ("archived object (restore it first)", "archived objects (restore them first)"),
    SkipReason.SUBFOLDER: ("subfolder (source.recursive is false)", "subfolders (source.recursive is false)"),
}
_MATTERS_MOST = (SkipReason.UNREADABLE_FOLDER, SkipReason.UNREADABLE)


def not_read(skipped: Skipped, not_documents: int = 0) -> str | None:
    """Return a line with the number of files that were not read, by reason with examples; None if all were read.

    Args:
        skipped: The counts.
        not_documents: Number of files that were opened and are of kind `unsupported`.
    """
    order = sorted(skipped.to_json(), key=lambda reason: reason not in _MATTERS_MOST)
    parts = [_skipped_part(skipped, SkipReason(reason)) for reason in order]
    if not_documents:
        parts.append(counted(not_documents, "file of an unsupported kind", "files of an unsupported kind"))
    return f"not read: {'; '.join(parts)}" if parts else None


def _skipped_part(skipped: Skipped, reason: SkipReason) -> str:
    count, names = skipped.counts[reason], skipped.examples[reason]
    more = ", …" if count > len(names) else ""
    return f"{counted(count, *_SKIPPED[reason])}: {visible(', '.join(names))}{more}"


def human_bytes(count: int) -> str:
    """Return a size such as `1.5 MiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def human_age(seconds: float) -> str:
    """Return a length of time in one unit, such as `3 min` or `2.5 h`."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}" if seconds >= 10 * size else f"{seconds / size:.1f} {unit}"
    return f"{max(seconds, 0):.0f} s"

"""The differences between two versions of the pages, page by page.

Data files that both versions share are not read. Of the others, the keys of rows and their commits are read first, then
the texts of rows that were written by different commits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from inkstream.ocr_core.text.metrics import edit_distance
from inkstream.tasks.model import KEY_COLUMNS
from inkstream.tasks.queries.path_patterns import matching
from inkstream.tasks.rows import FORGOTTEN, PAGES_SCHEMA
from inkstream.tasks.sinks.versioned import TableSnapshot, VersionedSink

_KEY = ["stream", *KEY_COLUMNS, "pagenum"]
_SHOWN = ["text", "confidence", "exception_kind", "pipeline_id"]
_NO_PAGE = -1


class Change(StrEnum):
    """What happened to a page from one version to the other."""

    ADDED = "added"
    REMOVED = "removed"
    FORGOTTEN = "forgotten"
    FAILED = "failed"
    FIXED = "fixed"
    STILL_FAILED = "still_failed"
    CHANGED = "changed"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Side:
    """A page's row in one of the versions.

    Attributes:
        text: The page's text; None if the page failed.
        confidence: 0-100, or None.
        exception_kind: Why there is no text, or None.
        pipeline_id: The pipeline that made the row.
    """

    text: str | None
    confidence: float | None
    exception_kind: str | None
    pipeline_id: str | None


@dataclass(frozen=True)
class PageChange:
    """A page whose row is not the same in both versions.

    Attributes:
        stream: The stream of the row.
        path: Path of the file version.
        etag: ETag of the file version.
        length: Size of the file version in bytes.
        pagenum: Page number, 0-based; None for the single row of a file whose pages cannot be counted.
        before: The page's row in the first version, or None.
        after: The page's row in the second version, or None.
        change: What happened to the page.
    """

    stream: str
    path: str
    etag: str
    length: int
    pagenum: int | None
    before: Side | None
    after: Side | None
    change: Change

    @cached_property
    def edits(self) -> int:
        """Number of characters inserted, deleted or replaced between the texts; white space counts as one space."""
        if self.change is not Change.CHANGED:
            return 0
        return edit_distance(_plain(self.before), _plain(self.after))

    @property
    def characters(self) -> int:
        """Number of characters in the first text."""
        return len(_plain(self.before))

    @property
    def cer(self) -> float | None:
        """Edits per character of the first text; None unless both versions have a text."""
        if self.change not in (Change.CHANGED, Change.SAME):
            return None
        return self.edits / self.characters if self.characters else float(bool(self.edits))


@dataclass(slots=True)
class Comparison:
    """All differences between two versions.

    Attributes:
        before: The first version.
        after: The second version.
        pages: Pages whose rows are not the same, by stream, path and page.
    """

    before: int
    after: int
    pages: list[PageChange] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Return the number of pages for each kind of change."""
        found = Counter(page.change for page in self.pages)
        return {change.value: found[change] for change in Change}

    def cer(self) -> float | None:
        """Return the edits per character over all pages with two texts; None if there are none."""
        pages = [page for page in self.pages if page.cer is not None]
        characters = sum(page.characters for page in pages)
        return sum(page.edits for page in pages) / characters if characters else None

    def confidence(self) -> tuple[float, float] | None:
        """Return the mean confidence before and after, over pages that have both; None if there are none."""
        pairs = [
            (page.before.confidence, page.after.confidence)
            for page in self.pages
            if page.before and page.after and page.before.confidence is not None and page.after.confidence is not None
        ]
        if not pairs:
            return None
        return sum(old for old, _ in pairs) / len(pairs), sum(new for _, new in pairs) / len(pairs)


def compare_versions(
    sink: VersionedSink, before: int, after: int | None = None, paths: Iterable[str] = ()
) -> Comparison:
    """Compare two versions of a sink's pages.

    Args:
        sink: The sink.
        before: The first version.
        after: The second version; the latest if not given.
        paths: Patterns of the files to compare (see `inkstream.tasks.queries.path_patterns`); all if empty.

    Raises:
        ConfigError: If the table or a version does not exist, or a version can no longer be read.
        TransientError: If the store does not answer.
    """
    old, new = sink.snapshot(before), sink.snapshot(after)
    touched = _touched(_keys(old, new), _keys(new, old))
    if patterns := list(paths):
        wanted = pa.array(sorted(matching(touched.column("path").to_pylist(), patterns)), pa.string())
        touched = touched.filter(pc.is_in(touched.column("path"), value_set=wanted))
    changes = _changes(_sides(old, new, touched), _sides(new, old, touched))
    return Comparison(old.version, new.version, list(changes))


def _keys(version: TableSnapshot, other: TableSnapshot) -> pa.Table:
    """Return the keys and commits of the rows that a version has beyond what both versions share."""
    columns = [*_KEY, "batch_id"]
    empty = pa.schema([PAGES_SCHEMA.field(name) for name in columns]).empty_table()
    return pa.concat_tables([empty, *(_numbered(rows) for rows in version.rows_beyond(other, columns))])


def _sides(version: TableSnapshot, other: TableSnapshot, wanted: pa.Table) -> dict[tuple[Any, ...], Side]:
    """Return a version's rows with the given keys."""
    found: dict[tuple[Any, ...], Side] = {}
    if not wanted.num_rows:
        return found
    for rows in version.rows_beyond(other, [*_KEY, *_SHOWN]):
        for row in _numbered(rows).join(wanted, _KEY, join_type="left semi").to_pylist():
            key = tuple(row[name] for name in _KEY)
            found[key] = Side(*(row[name] for name in _SHOWN))
    return found


def _numbered(rows: pa.Table) -> pa.Table:
    """Replace null page numbers, of files whose pages cannot be counted, so that rows can be joined by page number."""
    numbers = pc.fill_null(rows.column("pagenum"), _NO_PAGE)
    return rows.set_column(rows.schema.get_field_index("pagenum"), "pagenum", numbers)


def _touched(old: pa.Table, new: pa.Table) -> pa.Table:
    """Return the keys of rows that are in only one version, or were written by different commits.

    A commit writes all rows of a file version or none, so rows of the same commit are the same.
    """
    both = old.join(new, _KEY, join_type="full outer", left_suffix="_old", right_suffix="_new", use_threads=False)
    same = pc.fill_null(pc.equal(both.column("batch_id_old"), both.column("batch_id_new")), False)
    return both.filter(pc.invert(same)).select(_KEY)


def _changes(old: dict[tuple[Any, ...], Side], new: dict[tuple[Any, ...], Side]) -> Iterator[PageChange]:
    counted = {key[:-1] for rows in (old, new) for key in rows if key[-1] != _NO_PAGE}
    forgotten = {key[:-1] for key, side in new.items() if side.exception_kind == FORGOTTEN}
    for key in sorted({*old, *new}, key=lambda key: (key[0], key[1], key[2], key[4])):
        before, after = old.get(key), new.get(key)
        if after is not None and after.exception_kind == FORGOTTEN and before is None and key[:-1] in counted:
            continue  # its pages are reported one by one
        change = _change(before, after, file_counted=key[:-1] in counted, forgotten=key[:-1] in forgotten)
        stream, path, etag, length, page = key
        pagenum = None if page == _NO_PAGE else page
        yield PageChange(stream, path, etag, length, pagenum, before, after, change)


def _change(before: Side | None, after: Side | None, *, file_counted: bool, forgotten: bool) -> Change:
    failed_before = before is not None and before.exception_kind is not None
    failed_after = after is not None and after.exception_kind is not None
    if forgotten:
        return Change.FORGOTTEN
    if after is None:
        return Change.FIXED if failed_before and file_counted else Change.REMOVED
    if before is None:
        return Change.ADDED
    if failed_before:
        return Change.STILL_FAILED if failed_after else Change.FIXED
    if failed_after:
        return Change.FAILED
    return Change.SAME if before.text == after.text else Change.CHANGED


def _plain(side: Side | None) -> str:
    return " ".join((side.text or "").split()) if side else ""

"""What differs between two versions of `pages`: page by page, without reading what both have in common.

A data file that both versions name has the same rows in both, so only the others are read: first the identity of their
rows and which commit wrote them, then the text of those that another commit wrote.
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
import pyarrow.parquet as pq
from deltalake import DeltaTable

from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.text.metrics import edit_distance
from inkstream.tasks.paths import join, split_url
from inkstream.tasks.queries.path_patterns import matching
from inkstream.tasks.rows import FORGOTTEN, PAGES_SCHEMA
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.stores import explain_store_error, filesystem

_KEY = ["stream", "path", "etag", "length", "pagenum"]
_SHOWN = ["text", "confidence", "exception_kind", "pipeline_id"]
_NO_PAGE = -1
_BATCH_ROWS = 4096


class Change(StrEnum):
    """What became of a page."""

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
        text: The page's text; None where it failed.
        confidence: 0-100, or None.
        exception_kind: Why there is no text, or None.
        pipeline_id: What made the row.
    """

    text: str | None
    confidence: float | None
    exception_kind: str | None
    pipeline_id: str | None


@dataclass(frozen=True)
class PageChange:
    """A page whose row is not the same in both versions.

    Attributes:
        stream: Of the row.
        path: Of the file version, with `etag` and `length`.
        etag: Likewise.
        length: Likewise.
        pagenum: 0-based; None for the one row of a file whose pages cannot be counted.
        before: Its row in the first version, or None.
        after: Its row in the second version, or None.
        change: What became of it.
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
        """Characters inserted, deleted and replaced between the texts; white space counts as one blank."""
        if self.change is not Change.CHANGED:
            return 0
        return edit_distance(_plain(self.before), _plain(self.after))

    @property
    def characters(self) -> int:
        """Characters of the first text."""
        return len(_plain(self.before))

    @property
    def cer(self) -> float | None:
        """Edits a character of the first text; None where there are not two texts."""
        if self.change not in (Change.CHANGED, Change.SAME):
            return None
        return self.edits / self.characters if self.characters else float(bool(self.edits))


@dataclass(slots=True)
class Comparison:
    """All that differs.

    Attributes:
        before: The first version.
        after: The second version.
        pages: Pages whose rows are not the same, by stream, path and page.
    """

    before: int
    after: int
    pages: list[PageChange] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Returns how many pages there are of each change."""
        found = Counter(page.change for page in self.pages)
        return {change.value: found[change] for change in Change}

    def cer(self) -> float | None:
        """Returns edits a character over all pages with two texts; None where there are none."""
        pages = [page for page in self.pages if page.cer is not None]
        characters = sum(page.characters for page in pages)
        return sum(page.edits for page in pages) / characters if characters else None

    def confidence(self) -> tuple[float, float] | None:
        """Returns the mean confidence before and after, of the pages that have both; None where there are none."""
        pairs = [
            (page.before.confidence, page.after.confidence)
            for page in self.pages
            if page.before and page.after and page.before.confidence is not None and page.after.confidence is not None
        ]
        if not pairs:
            return None
        return sum(old for old, _ in pairs) / len(pairs), sum(new for _, new in pairs) / len(pairs)


def compare_versions(sink_url: str, before: int, after: int | None = None, paths: Iterable[str] = ()) -> Comparison:
    """Compares two versions of a sink's pages.

    Args:
        sink_url: The sink.
        before: The first version.
        after: The second version; the latest when not given.
        paths: Which files (see `inkstream.tasks.queries.path_patterns`); all when empty.

    Raises:
        ConfigError: If there is no such table or version, or a version can no longer be read.
        TransientError: If the store does not answer.
    """
    table = PagesTable(sink_url)
    old, new = table.open(before), table.open(after)
    old_files, new_files = set(old.file_uris()), set(new.file_uris())
    sides = [
        _Reader(table, old, old_files - new_files),
        _Reader(table, new, new_files - old_files),
    ]
    touched = _touched(*(side.keys() for side in sides))
    if patterns := list(paths):
        wanted = pa.array(sorted(matching(touched.column("path").to_pylist(), patterns)), pa.string())
        touched = touched.filter(pc.is_in(touched.column("path"), value_set=wanted))
    rows_before, rows_after = (side.rows(touched) for side in sides)
    return Comparison(old.version(), new.version(), list(_changes(rows_before, rows_after)))


class _Reader:
    """The rows of some data files of one version."""

    def __init__(self, table: PagesTable, handle: DeltaTable, uris: Iterable[str]) -> None:
        self._version = handle.version()
        self._url = table.url
        self._names = sorted(uri.rpartition("/")[2] for uri in uris)

    def keys(self) -> pa.Table:
        """Which rows there are, and which commit wrote each."""
        return pa.concat_tables([_empty("batch_id"), *self._read([*_KEY, "batch_id"])])

    def rows(self, wanted: pa.Table) -> dict[tuple[Any, ...], Side]:
        """The rows with these keys."""
        found: dict[tuple[Any, ...], Side] = {}
        if not wanted.num_rows:
            return found
        for rows in self._read([*_KEY, *_SHOWN]):
            for row in rows.join(wanted, _KEY, join_type="left semi").to_pylist():
                key = tuple(row[name] for name in _KEY)
                found[key] = Side(*(row[name] for name in _SHOWN))
        return found

    def _read(self, columns: list[str]) -> Iterator[pa.Table]:
        protocol, root = split_url(self._url)
        store = filesystem(protocol)
        for name in self._names:
            try:
                with store.open(join(root, name), "rb") as data, pq.ParquetFile(data) as file:
                    there = [column for column in columns if column in file.schema_arrow.names]
                    for batch in file.iter_batches(_BATCH_ROWS, columns=there):
                        yield _fitted(pa.Table.from_batches([batch]), columns)
            except FileNotFoundError:
                raise ConfigError(
                    f"version {self._version} of {self._url} can no longer be read, a vacuum has removed files of it; "
                    "`inkstream status` says which is the oldest"
                ) from None
            except Exception as error:
                raise explain_store_error(error, f"cannot read {name} of {self._url}") from error


def _fitted(rows: pa.Table, columns: list[str]) -> pa.Table:
    """The columns with their usual types, null where an old file has none, and a number for the page that has none."""
    types = {field.name: field.type for field in PAGES_SCHEMA}
    made = {
        name: rows.column(name).cast(types[name]) if name in rows.column_names else pa.nulls(rows.num_rows, types[name])
        for name in columns
    }
    made["pagenum"] = pc.fill_null(made["pagenum"], _NO_PAGE)
    return pa.table(made)


def _empty(*more: str) -> pa.Table:
    return pa.schema([PAGES_SCHEMA.field(name) for name in [*_KEY, *more]]).empty_table()


def _touched(old: pa.Table, new: pa.Table) -> pa.Table:
    """Keys of the rows that are in one version alone, or were written by another commit.

    A commit writes all rows of a file version or none, so rows of the same commit are the same rows.
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
            continue  # told page by page
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

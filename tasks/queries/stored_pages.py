"""The pages in a sink, file by file, for export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from inkstream.tasks.model import KEY_COLUMNS, FileVersion
from inkstream.tasks.rows import FORGOTTEN
from inkstream.tasks.sinks.numbered import NumberedSink
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.sinks.sql import any_of, sql_text, version_predicate
from inkstream.tasks.sinks.versioned import TableSnapshot, require_versions

_KEY = [*KEY_COLUMNS]
_ROWS_AT_ONCE = 64
"""Number of rows converted to Python values at a time; Python values are many times larger than Arrow's."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file version whose pages are in the sink.

    Attributes:
        file: The file version.
        pages: Number of rows that it has.
        batch_id: The batch that wrote the newest of them.
    """

    file: FileVersion
    pages: int
    batch_id: int


class StoredPages(Protocol):
    """A sink's pages as of one moment."""

    def files(self, stream: str) -> Iterable[StoredFile]:
        """Return a stream's file versions, without those that were forgotten."""

    def read(self, stream: str, files: Sequence[StoredFile], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of some files; the rows of a file come together, in the order of pages.

        Args:
            stream: The stream.
            files: Some of the stream's `files`, at least one.
            columns: The columns, including `path`. Columns that an older sink lacks may be missing.
        """


def stored_pages(sink: Sink, version: int | None = None) -> StoredPages:
    """Return a sink's pages.

    Args:
        sink: The sink.
        version: Table version; the latest if not given.

    Raises:
        ConfigError: If the table or version does not exist, or a version is given for a sink without versions.
        EnvironmentFault: If the sink cannot be read.
        TransientError: If the store does not answer.
    """
    if version is None and isinstance(sink, NumberedSink):
        return NumberedPages(sink)
    return SnapshotPages(require_versions(sink).snapshot(version))


class SnapshotPages:
    """Pages in one version of a table. See `StoredPages`."""

    def __init__(self, snapshot: TableSnapshot) -> None:
        self._snapshot = snapshot

    def files(self, stream: str) -> Iterator[StoredFile]:
        """Yield a stream's file versions."""
        sql = (
            "SELECT path, etag, length, max(modification_time) AS modified, max(batch_id) AS batch_id, "  # noqa: S608
            f"count(*) AS pages FROM this WHERE stream = {sql_text(stream)} "
            f"AND (exception_kind IS NULL OR exception_kind <> {sql_text(FORGOTTEN)}) GROUP BY path, etag, length"
        )
        for row in self._snapshot.query(sql).to_pylist():
            yield _stored(row, row["modified"], row["pages"], row["batch_id"])

    def read(self, stream: str, files: Sequence[StoredFile], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of some files."""
        low, high = min(stored.batch_id for stored in files), max(stored.batch_id for stored in files)
        where = any_of(version_predicate(stored.file.key) for stored in files)
        there = self._snapshot.columns
        wanted = ", ".join(name for name in columns if name in there)
        sql = (
            f"SELECT {wanted} FROM this WHERE stream = {sql_text(stream)} "  # noqa: S608
            f"AND batch_id BETWEEN {low} AND {high} AND {where} ORDER BY path, pagenum"
        )
        return _python_rows(self._snapshot.query(sql))


class NumberedPages:
    """Pages in numbered commits, each of them a batch. See `StoredPages`."""

    def __init__(self, sink: NumberedSink) -> None:
        self._sink = sink
        self._last: tuple[tuple[str, int], pa.Table] | None = None

    def files(self, stream: str) -> Iterator[StoredFile]:
        """Yield a stream's file versions. Each is whole in one batch, and files cannot be forgotten here."""
        for number in self._sink.numbers(stream):
            rows = self._sink.read(stream, number, [*_KEY, "modification_time"])
            files = rows.group_by(_KEY).aggregate([("modification_time", "max"), ([], "count_all")])
            for row in files.to_pylist():
                yield _stored(row, row["modification_time_max"], row["count_all"], number)

    def read(self, stream: str, files: Sequence[StoredFile], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of some files."""
        for number in sorted({stored.batch_id for stored in files}):
            keys = {stored.file.key for stored in files if stored.batch_id == number}
            rows = self._batch(stream, number, columns)
            of_paths = rows.filter(pc.is_in(rows["path"], pa.array([path for path, _, _ in keys], pa.string())))
            for row in _python_rows(of_paths):
                if (row["path"], row["etag"], row["length"]) in keys:
                    yield row

    def _batch(self, stream: str, number: int, columns: Sequence[str]) -> pa.Table:
        """Return a batch, and cache it, because its files may be read in several parts."""
        if self._last is None or self._last[0] != (stream, number):
            self._last = None  # freed before the next is read
            rows = self._sink.read(stream, number, list(dict.fromkeys([*columns, *_KEY])))
            self._last = (stream, number), rows.sort_by([("path", "ascending"), ("pagenum", "ascending")])
        return self._last[1]


def _stored(row: dict[str, Any], modified: datetime, pages: int, batch_id: int) -> StoredFile:
    return StoredFile(FileVersion(row["path"], row["etag"], row["length"], modified), pages, batch_id)


def _python_rows(rows: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in rows.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from batch.to_pylist()

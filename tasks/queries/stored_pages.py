"""The pages that a sink holds, file by file, for what is made of them afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from inkstream.tasks.model import FileVersion
from inkstream.tasks.rows import FORGOTTEN
from inkstream.tasks.sinks.delta.engine import any_of, scan, sql_text
from inkstream.tasks.sinks.delta.tables import PagesTable, format_of, version_predicate
from inkstream.tasks.sinks.parquet import ParquetSink

_KEY = ["path", "etag", "length"]
_ROWS_AT_ONCE = 64
"""As Python values, which are many times larger."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file version whose pages are there.

    Attributes:
        file: What was read.
        pages: How many rows it has.
        batch_id: The batch that wrote the newest of them.
    """

    file: FileVersion
    pages: int
    batch_id: int


class StoredPages(Protocol):
    """A sink's pages as of one moment."""

    def files(self, stream: str) -> Iterable[StoredFile]:
        """Lists a stream's file versions; what was forgotten is none."""

    def read(self, stream: str, files: Sequence[StoredFile], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yields the rows of some files, those of a file together and in the order of pages.

        Args:
            stream: The stream.
            files: Some of its `files`, at least one.
            columns: Which columns, `path` among them; one that a sink begun earlier has not may be missing.
        """


def stored_pages(sink_url: str, version: int | None = None) -> StoredPages:
    """Opens a sink's pages.

    Args:
        sink_url: Folder or URL of the sink, Delta or Parquet.
        version: Table version; the latest when not given.

    Raises:
        ConfigError: If there is no such table or version, or a version is asked of Parquet files, which have none.
        EnvironmentFault: If it cannot be read.
        TransientError: If the store does not answer.
    """
    if version is None and format_of(sink_url) == "parquet":
        return ParquetPages(ParquetSink(sink_url))
    return DeltaPages(PagesTable(sink_url).open(version))


class DeltaPages:
    """Pages in a Delta table. See `StoredPages`."""

    def __init__(self, table: DeltaTable) -> None:
        self._table = table

    def files(self, stream: str) -> Iterator[StoredFile]:
        """Lists a stream's file versions."""
        sql = (
            "SELECT path, etag, length, max(modification_time) AS modified, max(batch_id) AS batch_id, "  # noqa: S608
            f"count(*) AS pages FROM this WHERE stream = {sql_text(stream)} "
            f"AND (exception_kind IS NULL OR exception_kind <> {sql_text(FORGOTTEN)}) GROUP BY path, etag, length"
        )
        for row in scan(self._table, sql).to_pylist():
            yield _stored(row, row["modified"], row["pages"], row["batch_id"])

    def read(self, stream: str, files: Sequence[StoredFile], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yields the rows of some files."""
        low, high = min(stored.batch_id for stored in files), max(stored.batch_id for stored in files)
        where = any_of(version_predicate(stored.file.key) for stored in files)
        there = self._table.schema().to_arrow().names
        wanted = ", ".join(name for name in columns if name in there)
        sql = (
            f"SELECT {wanted} FROM this WHERE stream = {sql_text(stream)} "  # noqa: S608
            f"AND batch_id BETWEEN {low} AND {high} AND {where} ORDER BY path, pagenum"
        )
        return _python_rows(scan(self._table, sql))


class ParquetPages:
    """Pages in Parquet files, each of them a batch. See `StoredPages`."""

    def __init__(self, sink: ParquetSink) -> None:
        self._sink = sink
        self._last: tuple[tuple[str, int], pa.Table] | None = None

    def files(self, stream: str) -> Iterator[StoredFile]:
        """Lists a stream's file versions. Each is whole in one batch, and none was forgotten."""
        for number in self._sink.numbers(stream):
            rows = self._sink.read(stream, number, [*_KEY, "modification_time"])
            files = rows.group_by(_KEY).aggregate([("modification_time", "max"), ([], "count_all")])
            for row in files.to_pylist():
                yield _stored(row, row["modification_time_max"], row["count_all"], number)

    def read(self, stream: str, files: Sequence[StoredFile], columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yields the rows of some files."""
        for number in sorted({stored.batch_id for stored in files}):
            keys = {stored.file.key for stored in files if stored.batch_id == number}
            rows = self._batch(stream, number, columns)
            of_paths = rows.filter(pc.is_in(rows["path"], pa.array([path for path, _, _ in keys], pa.string())))
            for row in _python_rows(of_paths):
                if (row["path"], row["etag"], row["length"]) in keys:
                    yield row

    def _batch(self, stream: str, number: int, columns: Sequence[str]) -> pa.Table:
        """Reads a batch, or finds it: its files may be asked for in several parts."""
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

"""The status of a sink and its streams: backlog, last batches, failures and table size.

Nothing is written. Batches come from the ledger (and from the pages where the ledger does not cover them yet), and
failures from a scan of a few columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from inkstream.ocr_core.errors import ConfigError, InkstreamError
from inkstream.tasks.queries.stored_configs import stored_config, stored_streams
from inkstream.tasks.rows import FORGOTTEN
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.sinks.sql import sql_text
from inkstream.tasks.sinks.versioned import MaintainedTable, TableSnapshot, VersionedSink
from inkstream.tasks.skipped import Skipped
from inkstream.tasks.source.discovery import discover

_FORGOTTEN = sql_text(FORGOTTEN)
_FROM_LEDGER = """
SELECT batch_id, count(*) AS files, sum(pages) AS pages, sum(failed_pages) AS failed_pages,
       sum(processing_ms) / 1000 AS page_seconds, max(committed_at) AS committed_at
FROM this WHERE stream = {stream} AND batch_id > {after} GROUP BY batch_id
"""
_FROM_PAGES = """
SELECT batch_id, count(DISTINCT path) AS files,
       count(*) FILTER (WHERE exception_kind IS NULL OR exception_kind <> {forgotten}) AS pages,
       count(exception_kind) FILTER (WHERE exception_kind <> {forgotten}) AS failed_pages,
       coalesce(sum(processing_ms), 0) / 1000 AS page_seconds, max("timestamp") AS committed_at
FROM this WHERE stream = {stream} AND batch_id > {after} GROUP BY batch_id
"""
_ROWS = """
SELECT stream, count(*) AS pages, count(exception_kind) AS failed_pages FROM this
WHERE exception_kind IS NULL OR exception_kind <> {forgotten} GROUP BY stream
"""
_FAILURES = """
SELECT stream, exception_kind AS kind, count(*) AS pages, count(DISTINCT concat_ws('\n', path, etag, length)) AS files
FROM this WHERE exception_kind <> {forgotten} GROUP BY stream, exception_kind ORDER BY pages DESC, kind
"""

_COLUMNS = ("batch_id", "timestamp", "path", "etag", "length", "exception_kind", "processing_ms")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Files that the next run would read.

    Attributes:
        files: Number of files.
        size: Their total size in bytes.
        oldest_path: The file with the oldest modification time; None if there are no files.
        oldest_modified: The modification time of that file.
    """

    files: int
    size: int
    oldest_path: str | None = None
    oldest_modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """What one batch committed.

    Attributes:
        batch_id: The batch's id in the table.
        committed_at: When the batch was committed.
        files: Number of file versions.
        pages: Number of rows.
        failed_pages: Number of rows with an exception.
        page_seconds: Time spent on its pages, added up over all workers.
    """

    batch_id: int
    committed_at: datetime
    files: int
    pages: int
    failed_pages: int
    page_seconds: float


@dataclass(frozen=True, slots=True)
class FailureCount:
    """Number of rows, and of file versions, with one `exception_kind`."""

    kind: str
    files: int
    pages: int


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """The status of one stream.

    Attributes:
        name: The stream.
        source: The stream's source as stored in the sink; None if none is stored.
        pages: Number of rows in the table.
        failed_pages: Number of rows with an exception.
        failures: Counts by kind, largest first.
        batches: The last batches, newest first.
        backlog: The files that wait; None if they could not be found out.
        problem: Why they could not be found out.
        skipped: Counts of the files that the source holds and the next run will not read, by reason.
    """

    name: str
    source: str | None
    pages: int
    failed_pages: int
    failures: tuple[FailureCount, ...]
    batches: tuple[BatchStatus, ...]
    backlog: Backlog | None
    problem: str | None = None
    skipped: Skipped = field(default_factory=Skipped)


@dataclass(frozen=True, slots=True)
class TableStatus:
    """The size of the pages table.

    Attributes:
        url: Where the table is.
        version: The latest version.
        oldest_version: The oldest version that can still be read.
        files: Number of data files in the latest version.
        size: Their total size in bytes.
        rows: Number of rows.
    """

    url: str
    version: int
    oldest_version: int
    files: int
    size: int
    rows: int


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """The status of a sink. `table` is `None` if nothing was committed yet, or if the sink does not keep versions."""

    sink: str
    table: TableStatus | None
    streams: tuple[StreamStatus, ...]


def sink_status(sink_url: str, sink: Sink, stream: str | None = None, batches: int = 5) -> SinkStatus:
    """Return the status of a sink.

    Args:
        sink_url: Folder or URL of the sink.
        sink: The sink.
        stream: The stream to report; all if not given.
        batches: Number of last batches to report for each stream.

    Raises:
        ConfigError: If there is no sink, or it has no rows of the stream.
        EnvironmentFault: If the sink cannot be read.
        TransientError: If the store does not answer.
    """
    view = _view(sink)
    counts = view.by_stream(_ROWS.format(forgotten=_FORGOTTEN)) if view else {}
    known = sorted({*stored_streams(sink_url), *counts})
    if not known and view is None:
        raise ConfigError(f"there is no table at {sink.url}; `inkstream run` creates it")
    if stream is not None and stream not in known:
        raise ConfigError(f"no stream {stream!r} has run into {sink_url}; there are: {', '.join(known) or 'none'}")
    failures = view.by_stream(_FAILURES.format(forgotten=_FORGOTTEN)) if view else {}
    found = []
    for name in [stream] if stream else known:
        rows = counts.get(name, [{"pages": 0, "failed_pages": 0}])[0]
        kinds = tuple(FailureCount(row["kind"], row["files"], row["pages"]) for row in failures.get(name, ()))
        done = tuple(view.last_batches(name, batches)) if view else ()
        counts_of_rows = (rows["pages"], rows["failed_pages"])
        source, backlog, problem, skipped = _waiting(sink_url, sink, name)
        status = StreamStatus(name, source, *counts_of_rows, kinds, done, backlog, problem, skipped)
        found.append(status if view else _from_rows(sink, status, batches))
    return SinkStatus(sink_url, view.table_status() if view else None, tuple(found))


def _view(sink: Sink) -> _TableView | None:
    """Return a view of the sink's tables; None if it does not keep versions, or if nothing was committed yet."""
    if not isinstance(sink, VersionedSink):
        return None
    ledger = sink.ledger()  # before the pages, so that it cannot be ahead of them
    tables = sink.tables()
    return _TableView(tables[0], sink.snapshot(), ledger) if tables else None


class _TableView:
    """The tables of a sink as of one moment.

    Args:
        table: The pages table, for measuring.
        pages: A snapshot of the pages.
        ledger: A snapshot of the ledger, taken before that of the pages.
    """

    def __init__(self, table: MaintainedTable, pages: TableSnapshot, ledger: TableSnapshot | None) -> None:
        self._table = table
        self._pages = pages
        self._ledger = ledger

    def by_stream(self, sql: str) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of a query over the pages, by their stream."""
        rows: dict[str, list[dict[str, Any]]] = {}
        for row in self._pages.query(sql).to_pylist():
            rows.setdefault(row["stream"], []).append(row)
        return rows

    def last_batches(self, stream: str, count: int) -> Iterable[BatchStatus]:
        """Return the last batches, newest first. Batch ids rise by one, so rows of older batches are not read."""
        newest = self._pages.transaction_version(stream)
        projected = self._ledger.transaction_version(stream) if self._ledger else -1
        oldest = newest - count
        rows: list[dict[str, Any]] = []
        if self._ledger and projected > oldest:
            rows += self._ledger.query(_FROM_LEDGER.format(stream=sql_text(stream), after=oldest)).to_pylist()
        if newest > projected:
            values = {"stream": sql_text(stream), "after": max(projected, oldest), "forgotten": _FORGOTTEN}
            rows += self._pages.query(_FROM_PAGES.format(**values)).to_pylist()
        rows.sort(key=lambda row: row["batch_id"], reverse=True)
        return (BatchStatus(**{**row, "page_seconds": row["page_seconds"] or 0.0}) for row in rows)

    def table_status(self) -> TableStatus:
        """Return the size of the pages table."""
        size = self._table.size()
        oldest = self._table.oldest_version()
        return TableStatus(self._table.url, size.version, oldest, size.files, size.bytes, size.rows)


def _from_rows(sink: Sink, stream: StreamStatus, batches: int) -> StreamStatus:
    """Return the status with what a stream has committed to a sink without versions, counted from the rows."""
    try:
        if sink.version(stream.name) is None:
            return stream
        rows = sink.rows(stream=stream.name, columns=_COLUMNS)
    except InkstreamError as error:
        return replace(stream, problem=stream.problem or str(error))
    files = pc.binary_join_element_wise(
        *(pc.cast(rows[name], pa.string()) for name in ("path", "etag", "length")), "\n"
    )
    rows = rows.append_column("file", files)
    counts = [("file", "count_distinct"), ("path", "count"), ("exception_kind", "count"), ("processing_ms", "sum")]
    done = rows.group_by("batch_id").aggregate([*counts, ("timestamp", "max")]).sort_by([("batch_id", "descending")])
    failed = rows.filter(pc.is_valid(rows["exception_kind"]))
    kinds = failed.group_by("exception_kind").aggregate(counts[:2]).sort_by([("path_count", "descending")])
    return replace(
        stream,
        pages=rows.num_rows,
        failed_pages=failed.num_rows,
        failures=tuple(
            FailureCount(row["exception_kind"], row["file_count_distinct"], row["path_count"])
            for row in kinds.to_pylist()
        ),
        batches=tuple(
            BatchStatus(
                row["batch_id"],
                row["timestamp_max"],
                row["file_count_distinct"],
                row["path_count"],
                row["exception_kind_count"],
                (row["processing_ms_sum"] or 0.0) / 1000,
            )
            for row in done.slice(0, batches).to_pylist()
        ),
    )


def _waiting(sink_url: str, sink: Sink, stream: str) -> tuple[str | None, Backlog | None, str | None, Skipped]:
    """Return the source, the files that wait there or why they are unknown, and counts of the files left out."""
    source = None
    try:
        config = stored_config(sink_url, stream)
        source = config.source.url
        found = discover(config, sink)
    except InkstreamError as error:
        return source, None, str(error), Skipped()
    new = found.files
    oldest = min(new, key=lambda file: (file.modified, file.path), default=None)
    size = sum(file.size for file in new)
    backlog = Backlog(len(new), size, oldest.path, oldest.modified) if oldest else Backlog(0, 0)
    return source, backlog, None, found.skipped

"""How a sink and its streams stand: what waits, what the last batches did, what failed, how large the table is.

Nothing is written. The table's size comes from its log, the batches from the ledger (and from `pages` for what the
ledger has not taken in), failures from a scan of the few columns that tell them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from inkstream.ocr_core.errors import ConfigError, InkstreamError
from inkstream.tasks.paths import split_url
from inkstream.tasks.queries.stored_configs import stored_config, stored_streams
from inkstream.tasks.rows import FORGOTTEN
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error, scan, sql_text
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable, SinkTable, format_of, transaction_version
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source.discovery import discover
from inkstream.tasks.stores import explain_store_error, open_store

_LOG = re.compile(r"_delta_log/(\d{20})\.(json|checkpoint)")

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
    """Files that the next run would take.

    Attributes:
        files: How many.
        size: Their bytes.
        oldest_path: The one that was last modified longest ago; None where none waits.
        oldest_modified: When that was.
    """

    files: int
    size: int
    oldest_path: str | None = None
    oldest_modified: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """What one batch committed.

    Attributes:
        batch_id: As in the table.
        committed_at: When.
        files: File versions.
        pages: Rows.
        failed_pages: Rows among them with an exception.
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
    """How many rows, of how many file versions, have one `exception_kind`."""

    kind: str
    files: int
    pages: int


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How one stream stands.

    Attributes:
        name: The stream.
        source: Its source, as the sink remembers it; None where it does not.
        pages: Rows in the table.
        failed_pages: Rows among them with an exception.
        failures: Those by kind, most first.
        batches: The last batches, newest first.
        backlog: What waits; None where it could not be found out.
        problem: Why not.
    """

    name: str
    source: str | None
    pages: int
    failed_pages: int
    failures: tuple[FailureCount, ...]
    batches: tuple[BatchStatus, ...]
    backlog: Backlog | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class TableStatus:
    """How large the pages table is.

    Attributes:
        url: Where it is.
        version: The latest version.
        oldest_version: The oldest version that can still be read.
        files: Data files of the latest version.
        size: Their bytes.
        rows: Rows.
    """

    url: str
    version: int
    oldest_version: int
    files: int
    size: int
    rows: int


@dataclass(frozen=True, slots=True)
class SinkStatus:
    """How a sink stands; `table` is None where nothing was committed yet, or not as a Delta table."""

    sink: str
    table: TableStatus | None
    streams: tuple[StreamStatus, ...]


def sink_status(sink_url: str, stream: str | None = None, batches: int = 5) -> SinkStatus:
    """Finds out how a sink stands.

    Args:
        sink_url: The sink.
        stream: Only this stream; all when not given.
        batches: How many of the last batches are told of each stream.

    Raises:
        ConfigError: If there is no sink, or no such stream.
        EnvironmentFault: If the sink cannot be read.
        TransientError: If the store does not answer.
    """
    table, ledger = PagesTable(sink_url), LedgerTable(sink_url)
    projected = ledger.open() if ledger.exists() else None  # before pages, so that it cannot be ahead of them
    pages = table.open() if format_of(sink_url) == "delta" else None
    counts = _by_stream(pages, _ROWS.format(forgotten=_FORGOTTEN))
    known = sorted({*stored_streams(sink_url), *counts})
    if not known and pages is None:
        raise ConfigError(f"there is no table at {table.url}; `inkstream run` makes it")
    if stream is not None and stream not in known:
        raise ConfigError(f"no stream {stream!r} has run into {sink_url}; there are: {', '.join(known) or 'none'}")
    failures = _by_stream(pages, _FAILURES.format(forgotten=_FORGOTTEN))
    found = []
    for name in [stream] if stream else known:
        rows = counts.get(name, [{"pages": 0, "failed_pages": 0}])[0]
        kinds = tuple(FailureCount(row["kind"], row["files"], row["pages"]) for row in failures.get(name, ()))
        done = tuple(_last_batches(pages, projected, name, batches)) if pages is not None else ()
        source, backlog, problem = _waiting(sink_url, name)
        one = StreamStatus(name, source, rows["pages"], rows["failed_pages"], kinds, done, backlog, problem)
        found.append(one if pages is not None else _without_table(sink_url, one, batches))
    return SinkStatus(sink_url, _table_status(table, pages) if pages is not None else None, tuple(found))


def _without_table(sink_url: str, stream: StreamStatus, batches: int) -> StreamStatus:
    """Fills in what a stream has committed to a sink of another format, from the rows themselves."""
    try:
        sink = open_sink(stored_config(sink_url, stream.name).sink)
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


def _by_stream(pages: DeltaTable | None, sql: str) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in scan(pages, sql).to_pylist() if pages is not None else ():
        rows.setdefault(row["stream"], []).append(row)
    return rows


def _last_batches(pages: DeltaTable, ledger: DeltaTable | None, stream: str, count: int) -> Iterable[BatchStatus]:
    """The newest first. A stream's batch ids count up by one, so that older rows need not be read."""
    newest = transaction_version(pages, stream)
    projected = transaction_version(ledger, stream) if ledger is not None else -1
    oldest = newest - count
    rows: list[dict[str, Any]] = []
    if ledger is not None and projected > oldest:
        rows += scan(ledger, _FROM_LEDGER.format(stream=sql_text(stream), after=oldest)).to_pylist()
    if newest > projected:
        values = {"stream": sql_text(stream), "after": max(projected, oldest), "forgotten": _FORGOTTEN}
        rows += scan(pages, _FROM_PAGES.format(**values)).to_pylist()
    rows.sort(key=lambda row: row["batch_id"], reverse=True)
    return (BatchStatus(**{**row, "page_seconds": row["page_seconds"] or 0.0}) for row in rows)


def _waiting(sink_url: str, stream: str) -> tuple[str | None, Backlog | None, str | None]:
    source = None
    try:
        config = stored_config(sink_url, stream)
        source = config.source.url
        new = discover(config).files
    except InkstreamError as error:
        return source, None, str(error)
    oldest = min(new, key=lambda file: (file.modified, file.path), default=None)
    size = sum(file.size for file in new)
    backlog = Backlog(len(new), size, oldest.path, oldest.modified) if oldest else Backlog(0, 0)
    return source, backlog, None


def _table_status(table: SinkTable, handle: DeltaTable) -> TableStatus:
    try:
        actions = pa.table(handle.get_add_actions(flatten=True))
    except TRANSIENT_DELTA as error:
        raise explain_delta_error(error, f"cannot read the log of {table.url}") from error
    return TableStatus(
        url=table.url,
        version=handle.version(),
        oldest_version=_oldest_version(table, handle.version()),
        files=actions.num_rows,
        size=int(pc.sum(actions["size_bytes"]).as_py() or 0),
        rows=int(pc.sum(actions["num_records"]).as_py() or 0),
    )


def _oldest_version(table: SinkTable, latest: int) -> int:
    """Finds the oldest version whose data files are all there, by bisection.

    A vacuum removes what was rewritten longest ago, so what cannot be read any more is older than what can.
    """
    protocol, root = split_url(table.url)
    try:
        found = open_store(protocol, root).names(root)
    except Exception as error:
        raise explain_store_error(error, f"cannot list {table.url}") from error
    there = {path.rpartition("/")[2] for path in found if path.endswith(".parquet")}
    log = [(int(match[1]), match[2]) for path in found if (match := _LOG.search(path))]
    begins = [version for version, kind in log if kind == "checkpoint" or version == 0]
    gone, readable = min(begins, default=latest) - 1, latest
    while readable - gone > 1:
        middle = (gone + readable) // 2
        files = {path.rpartition("/")[2] for path in table.open(middle).file_uris()}
        gone, readable = (gone, middle) if files <= there else (middle, readable)
    return readable

"""The Delta sink: `SINK/pages`, and its ledger `SINK/files`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
from deltalake import DeltaTable

from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import SinkOptions, StreamConfig
from inkstream.tasks.model import Batch
from inkstream.tasks.progress import Compacted
from inkstream.tasks.sinks.delta.commit import TableRunner
from inkstream.tasks.sinks.delta.engine import scan, scan_chunks, sql_text
from inkstream.tasks.sinks.delta.ledger import LedgerProjection
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable, transaction_version
from inkstream.tasks.sinks.delta.vacuum import is_due, try_to_compact

_CHUNK_ROWS = 250_000
_NAMED_PATHS = 1000
_PARTLY_READ = """
SELECT path, etag, length FROM this WHERE stream = {stream}
GROUP BY path, etag, length HAVING count(pagenum) < max(total_pages)
"""


class DeltaKnown:
    """The ledger, and what `pages` has beyond the ledger's own version, from one snapshot of `pages`.

    Args:
        pages: The snapshot; None where there is no table.
        ledger: A handle that was opened before it, so that it is not ahead; None where there is no ledger.
        stream: The stream.
    """

    def __init__(self, pages: DeltaTable | None, ledger: DeltaTable | None, stream: str) -> None:
        self._pages = pages
        self._ledger = ledger
        self._stream = stream
        self.planned_at = -1 if pages is None else transaction_version(pages, stream)

    def rows(self, columns: Sequence[str], paths: Collection[str] | None = None) -> Iterator[pa.Table]:
        """Yields the ledger's rows, and then those that it does not cover yet.

        Files whose statistics exclude the paths are not read.
        """
        if self._pages is None or self.planned_at < 0:
            return
        ours, projected = f"stream = {sql_text(self._stream)}", -1
        if paths:
            ours += f" AND {_any_path(paths)}"
        if self._ledger is not None:
            projected = transaction_version(self._ledger, self._stream)
            yield from scan_chunks(self._ledger, list(columns), ours, _CHUNK_ROWS)
        if self.planned_at > projected:
            yield from scan_chunks(self._pages, list(columns), f"{ours} AND batch_id > {projected}", _CHUNK_ROWS)


def _any_path(paths: Collection[str]) -> str:
    """Returns a condition for rows of these paths, and of those between where there are too many to name each."""
    if len(paths) > _NAMED_PATHS:
        return f"path >= {sql_text(min(paths))} AND path <= {sql_text(max(paths))}"
    return f"path IN ({', '.join(map(sql_text, paths))})"


class DeltaSink:
    """Delta tables. See `inkstream.tasks.sinks.sink.Sink`.

    Args:
        options: The sink's options.
    """

    def __init__(self, options: SinkOptions) -> None:
        self._options = options
        self._pages = PagesTable(options.url)
        self._ledger = LedgerTable(options.url)
        self._projection = LedgerProjection(options.url)
        self.url = self._pages.url

    def known(self, stream: str) -> DeltaKnown:
        """Pins a snapshot."""
        ledger = self._ledger.open() if self._ledger.exists() else None  # before pages, so that it is not ahead
        pages = self._pages.open() if self._pages.exists() else None
        if ledger is not None:
            self._ledger.require_projection_of(pages, ledger)
        return DeltaKnown(pages, ledger, stream)

    def runner(self, batch: Batch, spool: ResultSpool, replace: frozenset[int]) -> TableRunner:
        """Commits through one fresh handle an attempt."""
        return TableRunner(self._pages, batch, spool, replace)

    def states(self, stream: str) -> Iterator[pa.Table]:
        """Reads the ledger."""
        if self._ledger.exists():
            columns = ["path", "etag", "length", "batch_id", "state"]
            yield from scan_chunks(self._ledger.open(), columns, f"stream = {sql_text(stream)}", _CHUNK_ROWS)

    def partly_read(self, stream: str) -> Iterator[pa.Table]:
        """Looks into the pages."""
        if self._pages.exists():
            yield scan(self._pages.open(), _PARTLY_READ.format(stream=sql_text(stream)))

    def project_ledger(self, config: StreamConfig) -> None:
        """Commits what the ledger lacks."""
        self._projection.run(config.stream)

    def version(self, stream: str) -> int | None:  # noqa: ARG002 - a table has one version for all streams
        """Returns the table's version."""
        return self._pages.version()

    def rows(
        self, stream: str | None = None, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Reads the latest version."""
        return self._pages.rows(stream=stream, limit=limit, columns=list(columns) if columns else None)

    def is_due(self, batch_id: int) -> bool:
        """Every `compact_every` commits."""
        return is_due(self._options, batch_id)

    def compact(self) -> Iterator[Compacted]:
        """Compacts both tables."""
        return try_to_compact(self._options)

"""The Delta sink: `SINK/pages`, and its ledger `SINK/files`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta

import pyarrow as pa

from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import SinkOptions
from inkstream.tasks.model import KEY_COLUMNS, Batch
from inkstream.tasks.progress import Compacted
from inkstream.tasks.sinks.delta.commit import TableRunner
from inkstream.tasks.sinks.delta.ledger import HAS_ROWS, LedgerProjection
from inkstream.tasks.sinks.delta.maintained import MaintainedDeltaTable
from inkstream.tasks.sinks.delta.recovery import Recovery
from inkstream.tasks.sinks.delta.snapshot import DeltaSnapshot
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.sinks.delta.vacuum import overlays_in_use, try_to_compact
from inkstream.tasks.sinks.sql import partly_read, sql_text

_CHUNK_ROWS = 250_000
_NAMED_PATHS = 1000


class DeltaKnown:
    """What a stream has committed: the ledger, and the rows of `pages` that the ledger does not cover yet.

    Args:
        pages: A snapshot of the pages; None if there is no table.
        ledger: A snapshot of the ledger, taken earlier so that it is not ahead of the pages; None if there is none.
        stream: The stream.
    """

    def __init__(self, pages: DeltaSnapshot | None, ledger: DeltaSnapshot | None, stream: str) -> None:
        self._pages = pages
        self._ledger = ledger
        self._stream = stream
        self.planned_at = -1 if pages is None else pages.transaction_version(stream)

    def rows(self, columns: Sequence[str], paths: Collection[str] | None = None) -> Iterator[pa.Table]:
        """Yield the ledger's rows, then the rows of `pages` that it does not cover yet.

        Data files whose statistics exclude the paths are not read.
        """
        if self._pages is None or self.planned_at < 0:
            return
        ours, projected = f"stream = {sql_text(self._stream)}", -1
        if paths:
            ours += f" AND {_any_path(paths)}"
        if self._ledger is not None:
            projected = self._ledger.transaction_version(self._stream)
            yield from self._ledger.scan(columns, f"{ours} AND {HAS_ROWS}", _CHUNK_ROWS)
        if self.planned_at > projected:
            yield from self._pages.scan(columns, f"{ours} AND batch_id > {projected}", _CHUNK_ROWS)

    def unchanged(self, paths: Collection[str]) -> Iterator[pa.Table]:
        """Yield the ledger's records of versions without rows."""
        if self._ledger is not None and paths:
            where = f"stream = {sql_text(self._stream)} AND {_any_path(paths)} AND NOT {HAS_ROWS}"
            yield from self._ledger.scan([*KEY_COLUMNS, "content_hash"], where, _CHUNK_ROWS)


def _any_path(paths: Collection[str]) -> str:
    """Return a condition for the rows of these paths. For too many paths, it is a range that may include others."""
    if len(paths) > _NAMED_PATHS:
        return f"path >= {sql_text(min(paths))} AND path <= {sql_text(max(paths))}"
    return f"path IN ({', '.join(map(sql_text, paths))})"


class DeltaSink:
    """Delta tables. See `inkstream.tasks.sinks.versioned.VersionedSink`.

    Args:
        options: The sink's options.

    Raises:
        ConfigError: If the URL has characters that the Delta library mishandles.
    """

    def __init__(self, options: SinkOptions) -> None:
        self._options = options
        self._pages = PagesTable(options.url, durable=options.durable)
        self._ledger = LedgerTable(options.url, durable=options.durable)
        self._projection = LedgerProjection(self._pages, self._ledger)
        self.sink_url = options.url
        self.url = self._pages.url
        self.description = f"Delta tables in {options.url}"

    def known(self, stream: str) -> DeltaKnown:
        """Return snapshots of both tables; the ledger's is taken first, so that it is not ahead of the pages.

        What they contain is durable: documents that are known may be removed from the source.
        """
        ledger = self._ledger.open() if self._ledger.exists() else None
        pages = self._pages.open() if self._pages.exists() else None
        if pages is not None:
            self._pages.make_durable(pages.version())
        if ledger is not None:
            self._ledger.require_projection_of(pages, ledger)
        return DeltaKnown(
            None if pages is None else DeltaSnapshot(self._pages.url, pages),
            None if ledger is None else DeltaSnapshot(self._ledger.url, ledger),
            stream,
        )

    def recover(self, stream: str, *, thorough: bool = False, dry_run: bool = False) -> Iterator[str]:
        """Repair what a power cut has damaged, and rebuild a ledger that is ahead of the pages."""
        return Recovery(self.sink_url, self._pages, self._ledger, self._projection).run(
            stream, thorough=thorough, dry_run=dry_run
        )

    def runner(self, batch: Batch, spool: ResultSpool, replace: frozenset[int]) -> TableRunner:
        """Return a runner that commits the batch, with a new handle for each attempt."""
        return TableRunner(self._pages, batch, spool, replace)

    def states(self, stream: str) -> Iterator[pa.Table]:
        """Yield the states of file versions from the ledger."""
        ledger = self.ledger()
        if ledger is not None:
            yield from ledger.scan(
                [*KEY_COLUMNS, "batch_id", "state"], f"stream = {sql_text(stream)} AND {HAS_ROWS}", _CHUNK_ROWS
            )

    def partly_read(self, stream: str) -> Iterator[pa.Table]:
        """Yield the file versions that lack rows for some pages."""
        if self._pages.exists():
            yield partly_read(self.snapshot(), stream)

    def project_ledger(self, stream: str) -> None:
        """Add to the ledger what it does not cover yet."""
        self._projection.run(stream)

    def record_unchanged(self, stream: str, versions: pa.Table) -> None:
        """Add the versions to the ledger, with the state `unchanged`."""
        self._projection.record_unchanged(stream, versions)

    def version(self, stream: str) -> int | None:  # noqa: ARG002 - a table has one version for all streams
        """Return the table's version."""
        return self._pages.version()

    def rows(
        self, stream: str | None = None, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return rows of the latest version."""
        return self._pages.rows(stream=stream, limit=limit, columns=list(columns) if columns else None)

    def is_due(self, batch_id: int) -> bool:
        """Return whether this commit completes a group of `compact_every`. Only one driver makes that commit."""
        every = self._options.compact_every
        return every is not None and (batch_id + 1) % every == 0

    def compact(self) -> Iterator[Compacted]:
        """Compact both tables."""
        return try_to_compact(self._options)

    def snapshot(self, version: int | None = None) -> DeltaSnapshot:
        """Return a snapshot of a version of the pages."""
        return self._pages.snapshot(version)

    def ledger(self) -> DeltaSnapshot | None:
        """Return a snapshot of the ledger's latest version; None if there is no ledger."""
        return self._ledger.snapshot() if self._ledger.exists() else None

    def tables(self) -> list[MaintainedDeltaTable]:
        """Return the tables that exist."""
        if not self._pages.exists():
            return []
        tables = [self._pages, self._ledger] if self._ledger.exists() else [self._pages]
        return [MaintainedDeltaTable(table) for table in tables]

    def overlays_in_use(self, retention: timedelta) -> Iterator[str]:
        """Yield the `overlay_path`s in the data files."""
        return overlays_in_use(self._pages, retention)

"""The sink. See `inkstream.tasks.sinks.versioned.VersionedSink`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.commit.operations import (
    Answer,
    Append,
    CommittedSince,
    FindCommit,
    MakeDurable,
    ModifiedSince,
    Open,
    Opened,
    Operation,
)
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.commit.stamped_rows import CommitRows
from inkstream.tasks.config import SinkOptions
from inkstream.tasks.model import Batch
from inkstream.tasks.progress import Compacted
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.sql import committed_since, modified_since, newest_rows, partly_read, sql_text
from inkstream.tasks.sinks.versioned import Removed, TableSize
from tests.integration.tasks.sinks.sqlite_sink.catalogue import Catalogue
from tests.integration.tasks.sinks.sqlite_sink.snapshot import ArrowSnapshot

_STATES = """
SELECT path, etag, length, max(batch_id) AS batch_id,
       CASE WHEN count(exception_kind) = 0 THEN 'done'
            WHEN count(exception_kind) = count(*) THEN 'failed' ELSE 'partial' END AS state
FROM this WHERE stream = {stream} GROUP BY path, etag, length
"""


class SqliteSink:
    """Rows in a SQLite file."""

    def __init__(self, options: SinkOptions) -> None:
        self._catalogue = Catalogue(Path(options.url))
        self.sink_url = options.url
        self.url = str(self._catalogue.path)
        self.description = f"SQLite table in {self.url}"

    def known(self, stream: str) -> SqliteKnown:
        return SqliteKnown(self._catalogue.snapshot() if self._catalogue.exists() else None, stream)

    def runner(self, batch: Batch, spool: ResultSpool, replace: frozenset[int]) -> SqliteRunner:
        return SqliteRunner(self._catalogue, batch, spool, replace)

    def states(self, stream: str) -> Iterator[pa.Table]:
        if self._catalogue.exists():
            yield self.snapshot().query(_STATES.format(stream=sql_text(stream)))

    def recover(self, stream: str, *, thorough: bool = False, dry_run: bool = False) -> Iterator[str]:  # noqa: ARG002
        return iter(())  # SQLite does it when it opens a database

    def partly_read(self, stream: str) -> Iterator[pa.Table]:
        if self._catalogue.exists():
            yield partly_read(self.snapshot(), stream)

    def project_ledger(self, stream: str) -> None:
        """Do nothing: this sink has no ledger."""

    def record_unchanged(self, stream: str, versions: pa.Table) -> None:
        """Forget it: the files are read again, and get no rows."""

    def version(self, stream: str) -> int | None:  # noqa: ARG002
        return self._catalogue.latest() if self._catalogue.exists() else None

    def rows(
        self, stream: str | None = None, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        return newest_rows(self.snapshot(), stream=stream, limit=limit, columns=columns)

    def is_due(self, batch_id: int) -> bool:  # noqa: ARG002
        return False

    def compact(self) -> Iterator[Compacted]:
        return iter(())

    def snapshot(self, version: int | None = None) -> ArrowSnapshot:
        if not self._catalogue.exists():
            raise ConfigError(f"nothing was committed to {self.url} yet: there is no table")
        return self._catalogue.snapshot(version)

    def ledger(self) -> ArrowSnapshot | None:
        return None

    def tables(self) -> list[SqliteTable]:
        return [SqliteTable(self._catalogue)] if self._catalogue.exists() else []

    def overlays_in_use(self, retention: timedelta) -> Iterator[str]:  # noqa: ARG002
        for version in range(self._catalogue.latest() + 1):
            paths = self.snapshot(version).rows.column("overlay_path").to_pylist()
            yield from (path for path in paths if path)


class SqliteKnown:
    """The rows of one version."""

    def __init__(self, snapshot: ArrowSnapshot | None, stream: str) -> None:
        self._snapshot = snapshot
        self._stream = stream
        self.planned_at = -1 if snapshot is None else snapshot.transaction_version(stream)

    def rows(
        self,
        columns: Sequence[str],
        paths: Collection[str] | None = None,  # noqa: ARG002 - rows of other files may be returned too
    ) -> Iterator[pa.Table]:
        if self._snapshot is not None:
            yield from self._snapshot.scan(columns, f"stream = {sql_text(self._stream)}", 1000)

    def unchanged(self, paths: Collection[str]) -> Iterator[pa.Table]:  # noqa: ARG002
        return iter(())


class SqliteRunner:
    """Runs the commit loop's operations; a handle is a pinned snapshot."""

    def __init__(self, catalogue: Catalogue, batch: Batch, spool: ResultSpool, replaced: frozenset[int]) -> None:
        self._catalogue = catalogue
        self._batch = batch
        self._spool = spool
        self._replaced = replaced
        self._handle: ArrowSnapshot | None = None

    def run(self, operation: Operation) -> Answer:
        stream = self._batch.stream
        if isinstance(operation, Open):
            self._handle = self._catalogue.snapshot()
            return Opened(self._handle.version, self._handle.transaction_version(stream))
        assert self._handle is not None
        if isinstance(operation, CommittedSince):
            return committed_since(self._handle, stream, operation.after)
        if isinstance(operation, ModifiedSince):
            return modified_since(self._handle, stream, operation.after)
        if isinstance(operation, FindCommit):
            return self._catalogue.find(operation.commit_id, operation.after)
        if isinstance(operation, MakeDurable):
            return None  # SQLite syncs each commit
        assert isinstance(operation, Append)
        return self._append(operation)

    def _append(self, operation: Append) -> int:
        with self._catalogue.commit(self._batch.stream, operation.batch_id, operation.commit_id) as commit:
            for index in operation.files:
                key = self._batch.files[index].key
                if key[0] in operation.replacing or index in self._replaced:
                    commit.remove(key, whole_path=key[0] in operation.replacing)
                rows = CommitRows(self._spool, replace(operation, files=(index,)), PAGES_SCHEMA)
                commit.add(key, pa.Table.from_batches(list(rows.batches()), PAGES_SCHEMA))
        return commit.version


class SqliteTable:
    """The only table, which needs no maintenance."""

    name = "pages"

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.url = str(catalogue.path)

    def version(self) -> int:
        return self._catalogue.latest()

    def oldest_version(self) -> int:
        return 0

    def size(self) -> TableSize:
        snapshot = self._catalogue.snapshot()
        return TableSize(snapshot.version, 1, self._catalogue.path.stat().st_size, snapshot.rows.num_rows)

    def mergeable(self, target_mb: int) -> Compacted:  # noqa: ARG002
        return Compacted(self.url)

    def compact(self, target_mb: int) -> Compacted:  # noqa: ARG002
        return Compacted(self.url)

    def vacuum(self, retention: timedelta, *, dry_run: bool) -> Removed:  # noqa: ARG002
        return Removed(0, 0)

"""Sinks whose commits are objects with rising numbers, each created completely by the first driver to do so.

The creation of number `v + 1` is the commit: two drivers that both saw `v` cannot both create it. So the number
is what the transaction is in a Delta table, and the same commit loop is correct for the same reason. Rows cannot be
replaced.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from inkstream.ocr_core.errors import ConfigError, TransientError
from inkstream.tasks.commit.operations import (
    Answer,
    Append,
    CommittedSince,
    FindCommit,
    Landed,
    MakeDurable,
    Open,
    Opened,
    Operation,
)
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.commit.stamped_rows import CommitRows
from inkstream.tasks.config.sink_formats import needs_versions
from inkstream.tasks.model import KEY_COLUMNS, Batch, FileKey
from inkstream.tasks.progress import Compacted
from inkstream.tasks.rows import PAGES_SCHEMA


class NumberedSink(ABC):
    """Commits as numbered objects. See `inkstream.tasks.sinks.sink.Sink`.

    Args:
        url: Where the pages are.
        description: What the sink is and where, for messages.
    """

    def __init__(self, url: str, description: str) -> None:
        self.url = url
        self.description = description

    @abstractmethod
    def numbers(self, stream: str) -> list[int]:
        """Return the numbers of a stream's commits, rising."""

    @abstractmethod
    def streams(self) -> list[str]:
        """Return the streams that have commits."""

    @abstractmethod
    def read(self, stream: str, number: int, columns: Sequence[str] | None) -> pa.Table:
        """Return one commit's rows; with all columns if `columns` is `None`."""

    @abstractmethod
    def commit_id(self, stream: str, number: int) -> str:
        """Return the id that a commit was created with."""

    @abstractmethod
    def create(self, stream: str, number: int, rows: CommitRows, commit_id: str) -> None:
        """Create a complete commit.

        Raises:
            FileExistsError: If a commit with this number exists.
            InkstreamError: If it failed. The commit may have landed anyway.
        """

    def make_durable(self, stream: str, upto: int) -> None:  # noqa: B027 - for sinks on a local disk
        """Return when a stream's commits up to this number survive a power cut.

        Raises:
            EnvironmentFault: If the disk does not take them.
        """

    def recover(self, stream: str, *, thorough: bool = False, dry_run: bool = False) -> Iterator[str]:  # noqa: ARG002 - for sinks that a power cut can damage
        """Return nothing: an object is there completely, or not at all."""
        return iter(())

    def known(self, stream: str) -> NumberedKnown:
        """Return the commits that exist now."""
        numbers = self.numbers(stream)
        if numbers:
            self.make_durable(stream, numbers[-1])
        return NumberedKnown(self, stream, numbers)

    def runner(self, batch: Batch, spool: ResultSpool, replace: frozenset[int]) -> NumberedRunner:
        """Return a runner that commits by creating the next number."""
        if replace:
            raise needs_versions(f"{self.description} cannot replace rows")
        return NumberedRunner(self, batch, spool)

    def states(self, stream: str) -> Iterator[pa.Table]:
        """Yield the states of the files in each commit."""
        for number in self.numbers(stream):
            rows = self.read(stream, number, [*KEY_COLUMNS, "batch_id", "exception_kind"])
            files = rows.group_by([*KEY_COLUMNS, "batch_id"]).aggregate(
                [("exception_kind", "count"), ([], "count_all")]
            )
            failed, pages = files.column("exception_kind_count"), files.column("count_all")
            state = pc.case_when(
                pc.make_struct(pc.equal(failed, 0), pc.equal(failed, pages)), "done", "failed", "partial"
            )
            yield files.select([*KEY_COLUMNS, "batch_id"]).append_column("state", state)

    def partly_read(self, stream: str) -> Iterator[pa.Table]:
        """Yield the files in each commit that lack pages. A file version is always whole in one commit."""
        for number in self.numbers(stream):
            rows = self.read(stream, number, [*KEY_COLUMNS, "pagenum", "total_pages"])
            files = rows.group_by([*KEY_COLUMNS]).aggregate([("pagenum", "count"), ("total_pages", "max")])
            yield files.filter(pc.less(files["pagenum_count"], files["total_pages_max"])).select([*KEY_COLUMNS])

    def project_ledger(self, stream: str) -> None:  # noqa: B027 - nothing to do
        """Do nothing: there is no ledger."""

    def unchanged(self, stream: str) -> Iterator[pa.Table]:  # noqa: ARG002 - for sinks that keep the records
        """Yield what `record_unchanged` has recorded; nothing if the sink does not keep it."""
        return iter(())

    def record_unchanged(self, stream: str, versions: pa.Table) -> None:  # noqa: B027 - a sink may forget it
        """Forget it: the files are read again at the next run, and get no rows then either."""

    def version(self, stream: str) -> int | None:
        """Return how many commits a stream has made; None for none."""
        numbers = self.numbers(stream)
        return numbers[-1] + 1 if numbers else None

    def rows(
        self, stream: str | None = None, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return rows of the newest commits, reading as few commits as needed."""
        names = list(columns or PAGES_SCHEMA.names)
        order = [("timestamp", "descending"), ("stream", "ascending"), ("path", "ascending"), ("pagenum", "ascending")]
        wanted = list(dict.fromkeys([*names, *(name for name, _ in order)]))
        tables = []
        for name in [stream] if stream is not None else self.streams():
            count = 0
            for number in reversed(self.numbers(name)):
                tables.append(self.read(name, number, wanted))
                count += tables[-1].num_rows
                if limit is not None and count >= limit:
                    break
        if not tables:
            raise ConfigError(f"nothing was committed to {self.url} yet; start a run with `inkstream run`")
        rows = pa.concat_tables(tables).sort_by(order).select(names)
        return rows if limit is None else rows.slice(0, limit)

    def is_due(self, batch_id: int) -> bool:  # noqa: ARG002 - part of the protocol
        """Return False: each object is a commit, so none are merged."""
        return False

    def compact(self) -> Iterator[Compacted]:
        """Return nothing: there are no files to merge."""
        return iter(())


class NumberedKnown:
    """A stream's commits as of one moment.

    Args:
        sink: The sink.
        stream: The stream.
        numbers: The numbers of the commits, rising.
    """

    def __init__(self, sink: NumberedSink, stream: str, numbers: list[int]) -> None:
        self._sink = sink
        self._stream = stream
        self._numbers = numbers
        self.planned_at = numbers[-1] if numbers else -1

    def rows(
        self,
        columns: Sequence[str],
        paths: Collection[str] | None = None,  # noqa: ARG002 - part of the protocol
    ) -> Iterator[pa.Table]:
        """Yield each commit's rows."""
        return (self._sink.read(self._stream, number, columns) for number in self._numbers)

    def unchanged(self, paths: Collection[str]) -> Iterator[pa.Table]:  # noqa: ARG002 - part of the protocol
        """Yield the records of all paths."""
        return self._sink.unchanged(self._stream)


class NumberedRunner:
    """Runs the commit loop's operations for one batch.

    Args:
        sink: Where to commit.
        batch: The batch.
        spool: The rows of the batch.
    """

    def __init__(self, sink: NumberedSink, batch: Batch, spool: ResultSpool) -> None:
        self._sink = sink
        self._batch = batch
        self._spool = spool

    def run(self, operation: Operation) -> Answer:
        """Run one operation and return its answer."""
        stream = self._batch.stream
        if isinstance(operation, Open):
            numbers = self._sink.numbers(stream)
            latest = numbers[-1] if numbers else -1
            return Opened(version=latest + 1, transaction=latest)
        if isinstance(operation, CommittedSince):
            return self._committed_since(operation.after)
        if isinstance(operation, FindCommit):
            return self._find(operation)
        if isinstance(operation, Append):
            return self._append(operation)
        if isinstance(operation, MakeDurable):
            self._sink.make_durable(stream, operation.version - 1)
            return None
        raise TypeError(operation)

    def _committed_since(self, after: int) -> frozenset[FileKey]:
        found: set[FileKey] = set()
        for number in self._sink.numbers(self._batch.stream):
            if number > after:
                rows = self._sink.read(self._batch.stream, number, KEY_COLUMNS)
                found.update(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        return frozenset(found)

    def _find(self, operation: FindCommit) -> Landed | None:
        stream = self._batch.stream
        for number in self._sink.numbers(stream):
            if number >= operation.after and self._sink.commit_id(stream, number) == operation.commit_id:
                return Landed(number, number + 1)
        return None

    def _append(self, operation: Append) -> int:
        rows = CommitRows(self._spool, operation, PAGES_SCHEMA)
        try:
            self._sink.create(self._batch.stream, operation.batch_id, rows, operation.commit_id)
        except FileExistsError as error:
            raise TransientError(f"another driver made commit {operation.batch_id} of {self.url}") from error
        return operation.batch_id + 1

    @property
    def url(self) -> str:
        """Where the batch is committed to, for messages."""
        return f"{self._sink.url}/{self._batch.stream}"

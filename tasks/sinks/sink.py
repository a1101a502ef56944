"""The protocol of sinks: what a run needs of one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from inkstream.tasks.commit.operations import Runner
    from inkstream.tasks.commit.spool import ResultSpool
    from inkstream.tasks.model import Batch
    from inkstream.tasks.progress import Compacted


class Known(Protocol):
    """What a stream has committed, as of one moment."""

    @property
    def planned_at(self) -> int:
        """The stream's transaction version at that moment; -1 if nothing was committed."""

    def rows(self, columns: Sequence[str], paths: Collection[str] | None = None) -> Iterator[pa.Table]:
        """Yield rows that name every file version that is done, some more than once.

        Args:
            columns: Some of `path`, `etag`, `length`, `modification_time`, `batch_id` and `content_hash`.
            paths: The paths that matter; all if not given. Rows of other paths may be included.
        """

    def unchanged(self, paths: Collection[str]) -> Iterator[pa.Table]:
        """Yield what `Sink.record_unchanged` has recorded of these paths, and possibly of others."""


class Sink(Protocol):
    """A place where rows are stored.

    A run opens one sink and passes it to every step. A sink that also keeps versions and can replace rows is an
    `inkstream.tasks.sinks.versioned.VersionedSink`.
    """

    @property
    def url(self) -> str:
        """Where the pages are."""

    @property
    def description(self) -> str:
        """What the sink is and where, for messages: `Parquet files in s3://bucket/tables/pages`."""

    def recover(self, stream: str, *, thorough: bool = False, dry_run: bool = False) -> Iterator[str]:
        """Repair what a power cut has damaged, before anything is read; yield a sentence for each thing that was.

        Args:
            stream: The stream that is going to run.
            thorough: Whether to read everything, and not only what was written last.
            dry_run: Only look.

        Raises:
            EnvironmentFault: If something cannot be repaired, with the remedy.
            TransientError: If the store does not answer.
        """

    def known(self, stream: str) -> Known:
        """Return what a stream has committed so far.

        Raises:
            EnvironmentFault: If the sink cannot be read from here.
            TransientError: If the store does not answer.
        """

    def runner(self, batch: Batch, spool: ResultSpool, replace: frozenset[int]) -> Runner:
        """Return a runner of the commit loop's operations for a batch.

        Args:
            batch: The batch.
            spool: The rows of the batch.
            replace: Indices of the files whose earlier rows are replaced.

        Raises:
            ConfigError: If rows are to be replaced and this sink cannot do that.
        """

    def states(self, stream: str) -> Iterator[pa.Table]:
        """Yield the states of a stream's file versions: `path, etag, length, batch_id, state`.

        A state is `done`, `partial` or `failed`. If a version comes more than once, the highest `batch_id` is valid.
        """

    def partly_read(self, stream: str) -> Iterator[pa.Table]:
        """Yield a stream's file versions that lack rows for some pages: `path, etag, length`."""

    def project_ledger(self, stream: str) -> None:
        """Bring the ledger, if any, up to date. Raises the errors of `known`."""

    def record_unchanged(self, stream: str, versions: pa.Table) -> None:
        """Remember which bytes some file versions without rows have, so that they are not read at every run.

        A sink may forget it: then the files are read again, and get no rows. Raises the errors of `known`.

        Args:
            stream: The stream.
            versions: `path, etag, length, modification_time, content_hash`.
        """

    def version(self, stream: str) -> int | None:
        """Return the latest version; None if nothing was written yet."""

    def rows(
        self, stream: str | None = None, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return rows, newest batch first and pages in order.

        Args:
            stream: The stream whose rows to return; all if not given.
            limit: Maximum number of rows.
            columns: The columns to return; all if not given.

        Raises:
            ConfigError: If nothing was committed yet.
        """

    def is_due(self, batch_id: int) -> bool:
        """Return whether to merge small files after this commit."""

    def compact(self) -> Iterator[Compacted]:
        """Merge small files, and yield the result for each table. Problems are reported, never raised."""

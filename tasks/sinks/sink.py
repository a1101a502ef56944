"""What a run needs of a sink."""

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
        """The stream's transaction version at that moment; -1 when nothing was committed."""

    def rows(self, columns: Sequence[str], paths: Collection[str] | None = None) -> Iterator[pa.Table]:
        """Yield rows that together name every file version that is done, some more than once.

        Args:
            columns: Some of `path`, `etag`, `length`, `modification_time` and `batch_id`.
            paths: The paths that matter; rows of others may come too. All when not given.
        """


class Sink(Protocol):
    """Where rows go.

    A run makes one sink and hands it to every step. A sink that also keeps versions and can replace rows is an
    `inkstream.tasks.sinks.versioned.VersionedSink`.
    """

    @property
    def url(self) -> str:
        """Where the pages are."""

    @property
    def description(self) -> str:
        """What it is and where, for people: `Parquet files in s3://bucket/tables/pages`."""

    def known(self, stream: str) -> Known:
        """Return what a stream has committed up to now.

        Raises:
            EnvironmentFault: If the sink cannot be read from here.
            TransientError: If the store does not answer.
        """

    def runner(self, batch: Batch, spool: ResultSpool, replace: frozenset[int]) -> Runner:
        """Return what runs the commit loop's operations for a batch.

        Args:
            batch: The batch.
            spool: Its rows.
            replace: Indices of the files whose earlier rows are replaced.

        Raises:
            ConfigError: If rows are to be replaced and this sink cannot do that.
        """

    def states(self, stream: str) -> Iterator[pa.Table]:
        """Yield what became of a stream's file versions: `path, etag, length, batch_id, state`.

        A state is `done`, `partial` or `failed`. A version may come more than once: the highest `batch_id` holds.
        """

    def partly_read(self, stream: str) -> Iterator[pa.Table]:
        """Yield a stream's file versions of which not every page has a row: `path, etag, length`."""

    def project_ledger(self, stream: str) -> None:
        """Bring the ledger up to date, where there is one. Raises as `known` does."""

    def version(self, stream: str) -> int | None:
        """Return the latest version; None where nothing was written yet."""

    def rows(
        self, stream: str | None = None, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Return rows, newest batch first and pages in order.

        Args:
            stream: Rows of this stream only; of all when not given.
            limit: At most this many rows.
            columns: These columns only; all when not given.

        Raises:
            ConfigError: If there are none, because nothing was committed.
        """

    def is_due(self, batch_id: int) -> bool:
        """Return whether small files are to be merged after this commit."""

    def compact(self) -> Iterator[Compacted]:
        """Merge small files, and yield what was done to each table. A problem is reported, never raised."""

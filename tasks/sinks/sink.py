"""What a run needs of a sink."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from inkstream.tasks.commit.spool import ResultSpool
    from inkstream.tasks.config import StreamConfig
    from inkstream.tasks.model import Batch
    from inkstream.tasks.progress import Compacted
from inkstream.tasks.commit.operations import Runner


class Known(Protocol):
    """What a stream has committed, as of one moment."""

    @property
    def planned_at(self) -> int:
        """The stream's transaction version at that moment; -1 when nothing was committed."""

    def rows(self, columns: Sequence[str], paths: Collection[str] | None = None) -> Iterator[pa.Table]:
        """Yields rows that together name every file version that is done, some more than once.

        Args:
            columns: Some of `path`, `etag`, `length`, `modification_time` and `batch_id`.
            paths: Which matter; rows of others may come, too. All when not given.
        """


class Sink(Protocol):
    """Where rows go."""

    @property
    def url(self) -> str:
        """Where the pages are."""

    def known(self, stream: str) -> Known:
        """Looks at what a stream has committed now.

        Raises:
            ConfigError: If there is something else than this sink would write.
            EnvironmentFault: If it cannot be read from here.
            TransientError: If the store does not answer.
        """

    def runner(self, batch: Batch, spool: ResultSpool, replace: frozenset[int]) -> Runner:
        """Returns what commits a batch.

        Args:
            batch: The batch.
            spool: Its rows.
            replace: Indices of the files whose earlier rows are replaced.
        """

    def states(self, stream: str) -> Iterator[pa.Table]:
        """Yields what became of a stream's file versions: `path, etag, length, batch_id, state`.

        A state is `done`, `partial` or `failed`; of several for one version that with the highest `batch_id` holds.
        """

    def partly_read(self, stream: str) -> Iterator[pa.Table]:
        """Yields a stream's file versions of which not every page has a row: `path, etag, length`."""

    def project_ledger(self, config: StreamConfig) -> None:
        """Brings the ledger, where there is one, up to date. Raises as `known` does."""

    def version(self, stream: str) -> int | None:
        """Returns the latest version; None where nothing was written yet."""

    def rows(
        self, stream: str | None = None, limit: int | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """Reads rows, newest batch first and pages in order.

        Args:
            stream: Rows of this stream only.
            limit: Rows at most.
            columns: Which columns; all when not given.

        Raises:
            ConfigError: If there are none, as nothing was committed.
        """

    def is_due(self, batch_id: int) -> bool:
        """Tells whether small files are merged after this commit."""

    def compact(self) -> Iterator[Compacted]:
        """Merges small files. What goes wrong is told, never raised."""

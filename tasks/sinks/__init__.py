"""The sinks: what the drain loop needs of one, and which one a configuration means.

`delta` keeps every version and can replace rows; `parquet` and `memory` only gain rows (`tasks.sinks.numbered`). All of
them commit by the same loop (`tasks.commit`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from tasks.config import SinkOptions, StreamConfig
    from tasks.model import Batch
    from tasks.operations import Answer, Operation
    from tasks.progress import Compacted
    from tasks.rows import ResultSpool

__all__ = ["Known", "Runner", "Sink", "open_sink"]


class Runner(Protocol):
    """Runs the commit loop's operations for one batch."""

    def run(self, operation: Operation) -> Answer:
        """Runs one operation and returns its answer.

        Raises:
            InkstreamError: Said whose fault it is; an `Append` may have landed all the same.
        """


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


def open_sink(options: SinkOptions) -> Sink:
    """Returns the sink of a configuration. Nothing is read or written yet.

    Raises:
        ConfigError: If this kind of sink cannot be there.
    """
    if options.format == "parquet":
        from tasks.sinks.parquet import ParquetSink

        return ParquetSink(options.url)
    if options.format == "memory":
        from tasks.sinks.memory import MemorySink

        return MemorySink(options.url)
    from tasks.sinks.delta import DeltaSink

    return DeltaSink(options)

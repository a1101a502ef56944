"""What a sink can do beyond `Sink` when it keeps versions and can replace rows.

Retry, reprocess, forget, diff, maintain and the table part of status need it. A sink has the ability when it has the
methods; a second table format has to provide what stands here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from inkstream.tasks.config.sink_formats import needs_versions
from inkstream.tasks.sinks.sink import Sink

if TYPE_CHECKING:
    import pyarrow as pa

    from inkstream.tasks.progress import Compacted


class TableSnapshot(Protocol):
    """One table of a sink, pinned to one version. Whatever happens to the table, it reads the same rows.

    SQL is what DataFusion and DuckDB have in common.
    """

    @property
    def url(self) -> str:
        """Where the table is."""

    @property
    def version(self) -> int:
        """The table's version."""

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""

    def transaction_version(self, stream: str) -> int:
        """Return the stream's transaction version: the highest `batch_id` it has committed; -1 for none.

        Raises:
            EnvironmentFault: If the table may not be read any more.
            TransientError: If the store does not answer.
        """

    def query(self, sql: str) -> pa.Table:
        """Return what a query over the rows gives; the table is called `this` in it. Raises as `scan` does."""

    def scan(self, columns: Sequence[str], where: str, chunk_rows: int) -> Iterator[pa.Table]:
        """Yield some columns of the rows that meet an SQL condition, about `chunk_rows` rows at a time.

        Raises:
            ConfigError: If this version can no longer be read.
            EnvironmentFault: If the table may not be read from here.
            TransientError: If the store does not answer.
        """

    def rows_beyond(self, other: TableSnapshot, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield all rows that are not in another version of the same table; some that are may come too.

        Columns that older rows lack are null. Raises as `scan` does.
        """


@dataclass(frozen=True, slots=True)
class TableSize:
    """How large a table is.

    Attributes:
        version: The version that was measured, the latest.
        files: Its data files.
        bytes: Their size.
        rows: Rows.
    """

    version: int
    files: int
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, or would be.

    Attributes:
        files: Number of files.
        size: Their bytes.
    """

    files: int
    size: int


class MaintainedTable(Protocol):
    """One table of a sink, to be measured and kept in order. Nothing here changes a row.

    Every method looks at the table as it is now. All raise EnvironmentFault if the table cannot be read or written from
    here, and TransientError if the store does not answer.
    """

    @property
    def name(self) -> str:
        """`pages` or `files`."""

    @property
    def url(self) -> str:
        """Where the table is."""

    def version(self) -> int:
        """Return the latest version."""

    def oldest_version(self) -> int:
        """Return the oldest version that can still be read."""

    def size(self) -> TableSize:
        """Return how large the latest version is."""

    def mergeable(self, target_mb: int) -> Compacted:
        """Return how many small files `compact` would merge, and into how many."""

    def compact(self, target_mb: int) -> Compacted:
        """Merge small files.

        Args:
            target_mb: Size in MiB from which a file is left as it is.
        """

    def vacuum(self, retention: timedelta, *, dry_run: bool) -> Removed:
        """Remove files that no version within the retention needs, including those that a crash left behind.

        Args:
            retention: How long a file that is no longer needed is kept.
            dry_run: Count only.
        """


@runtime_checkable
class VersionedSink(Sink, Protocol):
    """A sink that keeps versions and can replace rows: the `Runner` it returns accepts files to replace."""

    @property
    def sink_url(self) -> str:
        """The sink's folder or prefix, where its overlays and configurations are too."""

    def snapshot(self, version: int | None = None) -> TableSnapshot:
        """Pin a version of the pages, through a handle of its own.

        Args:
            version: The version; the latest when not given.

        Raises:
            ConfigError: If there is no table, or no such version.
            EnvironmentFault: If a newer Inkstream wrote it, or it may not be read.
            TransientError: If the store does not answer.
        """

    def ledger(self) -> TableSnapshot | None:
        """Pin the latest version of the ledger; None where there is none. Raises as `snapshot` does."""

    def tables(self) -> Sequence[MaintainedTable]:
        """Return the tables that are there, the pages first; none where nothing was committed yet."""

    def overlays_in_use(self, retention: timedelta) -> Iterator[str]:
        """Yield the `overlay_path`s that rows name, in any version that stays readable for the retention.

        Raises:
            EnvironmentFault: If the tables cannot be read from here.
            TransientError: If the store does not answer, or a row cannot be read.
        """


def require_versions(sink: Sink) -> VersionedSink:
    """Return the sink as one that keeps versions and can replace rows.

    Raises:
        ConfigError: If it does not.
    """
    if isinstance(sink, VersionedSink):
        return sink
    raise needs_versions(f"{sink.description} have no versions, and their rows stay as they are")

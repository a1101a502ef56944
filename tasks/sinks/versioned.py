"""The protocol of sinks that keep versions and can replace rows, in addition to `Sink`.

Retry, reprocess, forget, diff, maintain and the table part of status need it. A sink has the ability if it has the
methods. Another table format has to provide what is declared here, and nothing else.
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
    """One table of a sink, pinned to one version. It always reads the same rows, however the table changes.

    Queries use the SQL that DataFusion and DuckDB have in common.
    """

    @property
    def url(self) -> str:
        """Where the table is."""

    @property
    def version(self) -> int:
        """The table's version."""

    @property
    def columns(self) -> list[str]:
        """The names of the table's columns."""

    def transaction_version(self, stream: str) -> int:
        """Return the stream's transaction version: the highest `batch_id` it has committed; -1 for none.

        Raises:
            EnvironmentFault: If the table may no longer be read.
            TransientError: If the store does not answer.
        """

    def query(self, sql: str) -> pa.Table:
        """Return the result of a query over the rows. The table's name in it is `this`. Raises the errors of `scan`."""

    def scan(self, columns: Sequence[str], where: str, chunk_rows: int) -> Iterator[pa.Table]:
        """Yield some columns of the rows that match an SQL condition, about `chunk_rows` rows at a time.

        Raises:
            ConfigError: If this version can no longer be read.
            EnvironmentFault: If the table may not be read from here.
            TransientError: If the store does not answer.
        """

    def rows_beyond(self, other: TableSnapshot, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield all rows that are not in another version of the same table, and possibly some that are.

        Columns that older rows lack are null. Raises the errors of `scan`.
        """


@dataclass(frozen=True, slots=True)
class TableSize:
    """The size of a table.

    Attributes:
        version: The version that was measured, the latest.
        files: Number of data files.
        bytes: Their total size.
        rows: Number of rows.
    """

    version: int
    files: int
    bytes: int
    rows: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, or would be in a dry run.

    Attributes:
        files: Number of files.
        size: Their total size in bytes.
    """

    files: int
    size: int


class MaintainedTable(Protocol):
    """One table of a sink, for measuring and maintenance. No method changes a row.

    Every method uses the current state of the table. All raise EnvironmentFault if the table cannot be read or written
    from here, and TransientError if the store does not answer.
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
        """Return the size of the latest version."""

    def mergeable(self, target_mb: int) -> Compacted:
        """Return how many small files `compact` would merge, and into how many."""

    def compact(self, target_mb: int) -> Compacted:
        """Merge small files.

        Args:
            target_mb: Size in MiB from which a file is not merged.
        """

    def vacuum(self, retention: timedelta, *, dry_run: bool) -> Removed:
        """Remove files that no version within the retention needs, including those that a crash left behind.

        Args:
            retention: How long to keep a file that is no longer needed.
            dry_run: Only count.
        """


@runtime_checkable
class VersionedSink(Sink, Protocol):
    """A sink that keeps versions and can replace rows: the `Runner` it returns accepts files to replace."""

    @property
    def sink_url(self) -> str:
        """The sink's folder or prefix, which also holds its overlays and configurations."""

    def snapshot(self, version: int | None = None) -> TableSnapshot:
        """Return a snapshot of one version of the pages, with its own handle.

        Args:
            version: The version; the latest if not given.

        Raises:
            ConfigError: If the table or the version does not exist.
            EnvironmentFault: If a newer Inkstream wrote the table, or it may not be read.
            TransientError: If the store does not answer.
        """

    def ledger(self) -> TableSnapshot | None:
        """Return a snapshot of the ledger's latest version; None if there is no ledger. Raises as `snapshot` does."""

    def tables(self) -> Sequence[MaintainedTable]:
        """Return the tables that exist, the pages first; empty if nothing was committed yet."""

    def overlays_in_use(self, retention: timedelta) -> Iterator[str]:
        """Yield the `overlay_path`s of rows in any version that stays readable within the retention.

        Raises:
            EnvironmentFault: If the tables cannot be read from here.
            TransientError: If the store does not answer, or a row cannot be read.
        """


def require_versions(sink: Sink) -> VersionedSink:
    """Return the sink as a `VersionedSink`.

    Raises:
        ConfigError: If it does not keep versions and cannot replace rows.
    """
    if isinstance(sink, VersionedSink):
        return sink
    raise needs_versions(f"{sink.description} have no versions, and their rows cannot be replaced")

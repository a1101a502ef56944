"""The operations that the commit loop yields, and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from inkstream.tasks.model import FileKey


@dataclass(frozen=True, slots=True)
class Open:
    """Open a new handle and drop the old one. Answer: `Opened`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The state of the table in the new handle.

    Attributes:
        version: Table version.
        transaction: The stream's transaction version; -1 for none.
    """

    version: int
    transaction: int


@dataclass(frozen=True, slots=True)
class CommittedSince:
    """Find the file versions of the stream that have rows with a `batch_id` above `after`. Answer: a frozenset."""

    after: int


@dataclass(frozen=True, slots=True)
class ModifiedSince:
    """Find the same file versions as `CommittedSince`, with their modification times. Answer: a dict."""

    after: int


@dataclass(frozen=True, slots=True)
class FindCommit:
    """Find the commit with this id after table version `after`. Answer: `Landed`, or None."""

    commit_id: str
    after: int


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit that was found.

    Attributes:
        batch_id: The transaction version that it claimed.
        version: The table version that it created.
    """

    batch_id: int
    version: int


@dataclass(frozen=True, slots=True)
class Append:
    """Write these files' rows as one commit through the open handle. Answer: the new table version.

    Attributes:
        files: Indices of the files in the batch.
        batch_id: The transaction version to claim, which is also the rows' `batch_id`.
        commit_id: The id by which the commit can be found.
        replacing: Paths whose other rows are all removed by this commit.
    """

    files: tuple[int, ...]
    batch_id: int
    commit_id: str
    replacing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MakeDurable:
    """Make every commit up to table version `version` survive a power cut. Answer: None."""

    version: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Wait before the next attempt. Answer: None.

    Attributes:
        attempt: Number of attempts that have failed, from 1.
    """

    attempt: int


Operation: TypeAlias = Open | CommittedSince | ModifiedSince | FindCommit | Append | MakeDurable | Wait
Answer: TypeAlias = Opened | frozenset[FileKey] | dict[FileKey, datetime] | Landed | int | None


@dataclass(frozen=True, slots=True)
class Committed:
    """The outcome of committing a batch.

    Attributes:
        batch_id: Transaction version of the commit; None if there was nothing left to commit.
        version: Table version that has the rows.
        files: Indices of the files that this commit wrote.
        already_done: Indices of the files that another driver had committed.
        superseded: Indices of the files for whose path another driver had committed a version that is not older.
    """

    batch_id: int | None
    version: int
    files: tuple[int, ...]
    already_done: tuple[int, ...]
    superseded: tuple[int, ...] = ()


class Runner(Protocol):
    """Runs the commit loop's operations for one batch."""

    def run(self, operation: Operation) -> Answer:
        """Run one operation and return its answer.

        Raises:
            InkstreamError: If it failed, classified by fault. An `Append` may have landed anyway.
        """

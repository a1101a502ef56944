"""The operations that the commit loop yields, and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from inkstream.tasks.model import FileKey


@dataclass(frozen=True, slots=True)
class Open:
    """Open a new handle and forget the old one. Answer: `Opened`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the new handle stands.

    Attributes:
        version: Table version.
        transaction: The stream's transaction version, -1 for none.
    """

    version: int
    transaction: int


@dataclass(frozen=True, slots=True)
class CommittedSince:
    """Which file versions of the stream have rows with a batch_id above `after`? Answer: a frozenset."""

    after: int


@dataclass(frozen=True, slots=True)
class ModifiedSince:
    """As `CommittedSince`, and when was each of them modified? Answer: a dict."""

    after: int


@dataclass(frozen=True, slots=True)
class FindCommit:
    """Is there a commit with this id after table version `after`? Answer: `Landed`, or None."""

    commit_id: str
    after: int


@dataclass(frozen=True, slots=True)
class Landed:
    """A commit that was found.

    Attributes:
        batch_id: The transaction version it claimed.
        version: The table version it made.
    """

    batch_id: int
    version: int


@dataclass(frozen=True, slots=True)
class Append:
    """Write these files' rows as one commit through the open handle. Answer: the table version it made.

    Attributes:
        files: Indices into the batch.
        batch_id: The transaction version to claim, and what the rows say.
        commit_id: What the commit can be found by.
        replacing: Paths of which all other rows go with this commit.
    """

    files: tuple[int, ...]
    batch_id: int
    commit_id: str
    replacing: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wait:
    """Let some time pass before the next attempt. Answer: None.

    Attributes:
        attempt: How many attempts have failed, from 1.
    """

    attempt: int


Operation: TypeAlias = Open | CommittedSince | ModifiedSince | FindCommit | Append | Wait
Answer: TypeAlias = Opened | frozenset[FileKey] | dict[FileKey, datetime] | Landed | int | None


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a batch.

    Attributes:
        batch_id: Transaction version of the commit; None when there was nothing left to commit.
        version: Table version that holds the rows.
        files: Indices of the files this commit wrote.
        already_done: Indices of the files that another driver had done.
        superseded: Indices of the files of whose path another driver had committed a version that is not older.
    """

    batch_id: int | None
    version: int
    files: tuple[int, ...]
    already_done: tuple[int, ...]
    superseded: tuple[int, ...] = ()


class Runner(Protocol):
    """Runs the commit loop's operations for one batch."""

    def run(self, operation: Operation) -> Answer:
        """Runs one operation and returns its answer.

        Raises:
            InkstreamError: Said whose fault it is; an `Append` may have landed all the same.
        """

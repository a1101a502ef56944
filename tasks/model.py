"""What the steps hand each other: small, plain, picklable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of one file: what is read, and what is done exactly once.

    Attributes:
        path: Absolute URL, bytes outside `A-Za-z0-9-._~/` percent-encoded after the scheme; reversible.
        etag: Unquoted ETag; `mtime_ns-size` on a local disk.
        size: Bytes.
        modified: When the store says it was last modified, UTC.
    """

    path: str
    etag: str
    size: int
    modified: datetime

    @property
    def key(self) -> FileKey:
        """The identity: path, etag and size."""
        return (self.path, self.etag, self.size)


FileKey = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Why an announced object has to wait, so that its message stays in the queue.

    Attributes:
        why: The reason, in a few words.
        again_in: When to look again; None for whenever the event source gives the message out again.
    """

    why: str
    again_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PagesAgain:
    """Some pages of a file that are read again, while the table's rows of the others are kept.

    Attributes:
        total: Pages of the file.
        pages: Which are read again, 0-based, in order; at least one.
        content_hash: SHA-256 of the bytes that the kept rows were read from, where known.
    """

    total: int
    pages: tuple[int, ...]
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class Redo:
    """How a batch replaces the rows that its files have.

    Attributes:
        version: Table version that it was planned from; rows that are kept are read there.
        again: By index of the file in the batch, which pages are read again; a file that is not named is read whole.
    """

    version: int
    again: Mapping[int, PagesAgain] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that are processed and committed together.

    Attributes:
        stream: The stream the rows belong to.
        attempt_id: Random; also the commit id by which a commit whose reply was lost is found.
        files: What to process, in order.
        planned_at: Transaction version of `pages` for the stream in the snapshot this batch was planned from;
            -1 when nothing was ever committed.
        redo: How the files' rows that are there are replaced; None for new files.
        replacing: In mode `upsert`, paths among the files that had rows of other versions.
    """

    stream: str
    attempt_id: str
    files: tuple[FileVersion, ...]
    planned_at: int
    redo: Redo | None = None
    replacing: frozenset[str] = frozenset()

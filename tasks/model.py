"""What the steps hand each other: small, plain, picklable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


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
class Batch:
    """Files that are processed and committed together.

    Attributes:
        stream: The stream the rows belong to.
        attempt_id: Random; also the commit id by which a commit whose reply was lost is found.
        files: What to process, in order.
        planned_at: Transaction version of `pages` for the stream in the snapshot this batch was planned from;
            -1 when nothing was ever committed.
    """

    stream: str
    attempt_id: str
    files: tuple[FileVersion, ...]
    planned_at: int

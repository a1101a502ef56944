"""Small, picklable values that the steps pass to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class FileVersion:
    """One version of one file: the unit that is processed exactly once.

    Attributes:
        path: Absolute URL, bytes outside `A-Za-z0-9-._~/` percent-encoded after the scheme; reversible.
        etag: Unquoted ETag; `mtime_ns-size` on a local disk.
        size: Bytes.
        modified: Modification time according to the store, UTC.
        changed: If `modified` is in the future: when the file system last noted a change, UTC, if it does so by a clock
            of its own. Not part of the version.
    """

    path: str
    etag: str
    size: int
    modified: datetime
    changed: datetime | None = field(default=None, compare=False)

    @property
    def key(self) -> FileKey:
        """The identity: path, etag and size."""
        return (self.path, self.etag, self.size)


FileKey = tuple[str, str, int]

KEY_COLUMNS = ("path", "etag", "length")
"""The columns of `pages` and `files` that hold a file version's key."""


@dataclass(frozen=True, slots=True)
class KnownBytes:
    """The bytes of a file version that has rows.

    Attributes:
        stand_in: The version.
        content_hash: SHA-256 of its bytes, hex.
    """

    stand_in: FileVersion
    content_hash: str


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Why an announced object has to wait. Its message stays in the queue.

    Attributes:
        why: The reason, in a few words.
        again_in: How long to wait before the next try; None to wait until the event source delivers the message again.
    """

    why: str
    again_in: timedelta | None = None


@dataclass(frozen=True, slots=True)
class PagesAgain:
    """The pages of a file that are read again. The table's rows of its other pages are kept.

    Attributes:
        total: Number of pages of the file.
        pages: The pages to read again, 0-based, in order; at least one.
        content_hash: SHA-256 of the bytes that the kept rows were read from, where known.
    """

    total: int
    pages: tuple[int, ...]
    content_hash: str | None


@dataclass(frozen=True, slots=True)
class Redo:
    """How a batch replaces the rows that its files already have.

    Attributes:
        version: Table version that the batch was planned from. The rows to keep are read from it.
        again: Pages to read again, by the file's index in the batch. A file without an entry is read whole.
        content_hashes: SHA-256 of the bytes that the rows were read from, by the file's index, where known. A newer
            version with these bytes may be read in its place.
    """

    version: int
    again: Mapping[int, PagesAgain] = field(default_factory=dict)
    content_hashes: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Files that are processed and committed together.

    Attributes:
        stream: The stream the rows belong to.
        attempt_id: Random; also the commit id, by which a commit is found again if its reply was lost.
        files: The files to process, in order.
        planned_at: Transaction version of `pages` for the stream in the snapshot this batch was planned from;
            -1 if nothing was ever committed.
        redo: How the existing rows of the files are replaced; None for new files.
        replacing: In mode `upsert`, the paths of those files that had rows of other versions.
        possibly_unchanged: By path, the bytes of the newest rows. A file with these bytes gets no other rows.
    """

    stream: str
    attempt_id: str
    files: tuple[FileVersion, ...]
    planned_at: int
    redo: Redo | None = None
    replacing: frozenset[str] = frozenset()
    possibly_unchanged: Mapping[str, KnownBytes] = field(default_factory=dict)

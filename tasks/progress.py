"""The events that a run publishes as they happen, and the summary of what it did.

Observers see what has happened; nothing they do changes what is committed. The progress bars, the JSON lines and the
fault tests, which kill their own process at a chosen event, are observers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from inkstream.tasks.model import Batch, Unsettled

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Listed:
    """The work was found: new files of the source, or rows of the table to make again.

    Attributes:
        listed: File versions that were looked at.
        new_files: Those to be read.
        new_bytes: Their size.
        waiting: New ones that are left for a later run.
    """

    listed: int
    new_files: int
    new_bytes: int
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Planned:
    """Files were put into batches."""

    batches: tuple[Batch, ...]


@dataclass(frozen=True, slots=True)
class RangeDone:
    """A page range came back; its overlays are written, its rows are not committed.

    Those of the next batch may come while a batch is not over.

    Attributes:
        attempt_id: Of its batch.
        path: The file.
        pages: Pages of the range.
        failed_pages: Those among them that failed.
        total_pages: Pages of the file; None where they could not be counted.
        overlays: URLs of their overlays.
        rows: The range's rows, to be looked at.
    """

    attempt_id: str
    path: str
    pages: int
    failed_pages: int
    total_pages: int | None
    overlays: tuple[str, ...]
    rows: pa.Table | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Processed:
    """Every planned page of a batch has a result; nothing of it is committed."""

    batch: Batch
    files: int
    pages: int


@dataclass(frozen=True, slots=True)
class BatchCommitted:
    """A batch's rows are in the table; the ledger lags behind."""

    batch_id: int
    version: int
    files: int


@dataclass(frozen=True, slots=True)
class LedgerProjected:
    """The ledger has caught up with the table."""

    stream: str


@dataclass(frozen=True, slots=True)
class Compacted:
    """Small files of a table were merged, and its log has a checkpoint.

    Attributes:
        table: URL of the table.
        merged: How many files were merged.
        into: How many came of them.
        problem: Why not this time; it harms nothing but speed. None when all went well.
    """

    table: str
    merged: int = 0
    into: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Files that are done were taken out of the source.

    Attributes:
        files: How many.
        failed: Those that could not be, and why; the next run tries again.
    """

    files: int
    failed: dict[str, str]


@dataclass(frozen=True, slots=True)
class MessagesTaken:
    """Messages of an event source were worked off.

    Attributes:
        messages: Number of messages received.
        settled: Number of them that were acknowledged.
        unreadable: By message id, why a message cannot be read. These messages stay in the queue.
        unsettled: By URL, why an object has to wait. Its messages stay in the queue.
    """

    messages: int
    settled: int
    unreadable: dict[str, str]
    unsettled: dict[str, str]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a watcher should know, though the work goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class FileDone:
    """What became of one file of a batch, for people."""

    path: str
    pages: int
    failed_pages: int
    kinds: dict[str, int]
    confidence: float | None
    seconds: float
    left_out: str | None
    overlays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch is over. `progress` has the keys of Spark's lastProgress, and more.

    Attributes:
        attempt_id: Of the batch.
        progress: JSON-able, as `run --json` prints it.
        files: What became of each file.
    """

    attempt_id: str
    progress: dict[str, Any]
    files: tuple[FileDone, ...]


Event = (
    Listed
    | Planned
    | RangeDone
    | Processed
    | BatchCommitted
    | LedgerProjected
    | BatchDone
    | Compacted
    | Cleaned
    | MessagesTaken
    | Notice
)
Observer = Callable[[Event], None]


@dataclass(slots=True)
class Summary:
    """What a run did. `to_json` is the last line of `run --json`.

    Attributes:
        batches: Batches committed.
        files: Files committed.
        pages: Pages read and committed.
        failed_pages: Those among them that failed: their rows say why there is no text.
        kept_pages: Rows of these files that were kept as other pages were read again.
        left_out: Files left for the next trigger, with the reason.
        cleaned: Files archived or deleted.
        not_cleaned: Files that could not be.
        superseded: In mode upsert, files that were read but not committed, as their path had got newer rows meanwhile.
        unsettled: By URL, announced objects that have to wait; of this run only, `add` leaves it as it is.
        version: The table's version at the end; -1 when there is no table yet.
        table: URL of the pages table.
        overlays: Some of the overlays written, for showing one.
    """

    table: str
    batches: int = 0
    files: int = 0
    pages: int = 0
    failed_pages: int = 0
    kept_pages: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    cleaned: int = 0
    not_cleaned: int = 0
    superseded: int = 0
    unsettled: Mapping[str, Unsettled] = field(default_factory=dict)
    version: int = -1
    overlays: list[str] = field(default_factory=list)

    def add(self, other: Summary) -> None:
        """Add what a later run into the same table did."""
        for name in ("batches", "files", "pages", "failed_pages", "kept_pages", "cleaned", "not_cleaned", "superseded"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.left_out.update(other.left_out)
        self.overlays.extend(other.overlays)
        self.version = other.version

    def to_json(self) -> dict[str, Any]:
        """Return the summary as `run --json` prints it."""
        return {
            "batches": self.batches,
            "files": self.files,
            "pages": self.pages,
            "failed_pages": self.failed_pages,
            "kept_pages": self.kept_pages,
            "left_out": len(self.left_out),
            "cleaned": self.cleaned,
            "not_cleaned": self.not_cleaned,
            "version": self.version,
            "table": self.table,
        }


def timestamp() -> str:
    """Return the time now as Spark's progress reports write it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

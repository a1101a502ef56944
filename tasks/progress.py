"""The events that a run publishes as they happen, and the summary of what it did.

Observers see what has happened; they cannot change what is committed. The progress bars, the JSON lines and the fault
tests, which kill their own process at a chosen event, are observers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from inkstream.tasks.model import Batch, Unsettled
from inkstream.tasks.next_steps import NextStep
from inkstream.tasks.skipped import Skipped

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Listed:
    """The work was found: new files in the source, or rows of the table to replace.

    Attributes:
        listed: Number of file versions that were looked at.
        new_files: Number of them to be read.
        new_bytes: Total size of those to be read.
        waiting: Number of new ones that are left for a later run.
        skipped: Counts of the files of the source that are not among them, by reason.
    """

    listed: int
    new_files: int
    new_bytes: int
    waiting: int = 0
    skipped: Skipped = field(default_factory=Skipped)


@dataclass(frozen=True, slots=True)
class Planned:
    """Files were put into batches."""

    batches: tuple[Batch, ...]


@dataclass(frozen=True, slots=True)
class RangeDone:
    """A page range came back. Its overlays are written; its rows are not committed yet.

    Ranges of the next batch may come back before the current batch is committed.

    Attributes:
        attempt_id: The attempt id of its batch.
        path: The file.
        pages: Number of pages in the range.
        failed_pages: Number of them that failed.
        total_pages: Number of pages of the file; None if they could not be counted.
        overlays: URLs of the overlays.
        rows: The range's rows, for display.
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
    """Every planned page of a batch has a result; the batch is not committed yet."""

    batch: Batch
    files: int
    pages: int


@dataclass(frozen=True, slots=True)
class BatchCommitted:
    """A batch's rows are in the table; the ledger does not have it yet."""

    batch_id: int
    version: int
    files: int


@dataclass(frozen=True, slots=True)
class LedgerProjected:
    """The ledger has caught up with the table."""

    stream: str


@dataclass(frozen=True, slots=True)
class Compacted:
    """Small files of a table were merged, and its log got a checkpoint.

    Attributes:
        table: URL of the table.
        merged: Number of files that were merged.
        into: Number of files that they became.
        problem: Why nothing was merged this time, which costs only speed; None if all went well.
    """

    table: str
    merged: int = 0
    into: int = 0
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Files that were read and committed were removed from the source.

    Attributes:
        files: Number of files removed.
        failed: By URL, why a file could not be removed; the next run tries again.
    """

    files: int
    failed: dict[str, str]


@dataclass(frozen=True, slots=True)
class MessagesTaken:
    """Messages of an event source were processed.

    Attributes:
        messages: Number of messages received.
        settled: Number of them that were acknowledged.
        unreadable: By message id, why a message cannot be read. These messages stay in the queue.
        unsettled: By URL, why an object has to wait. Its messages stay in the queue.
        skipped: Counts of the announced objects that are not documents, by reason.
    """

    messages: int
    settled: int
    unreadable: dict[str, str]
    unsettled: dict[str, str]
    skipped: Skipped = field(default_factory=Skipped)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people should know while the run goes on."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A run has committed or left out every file of its plan. `next_steps` says what to do about the results."""

    next_steps: tuple[NextStep, ...]


@dataclass(frozen=True, slots=True)
class FileDone:
    """The outcome of one file of a batch, for display."""

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
    """A batch is finished. `progress` has the keys of Spark's lastProgress, and more.

    Attributes:
        attempt_id: The attempt id of the batch.
        progress: A JSON-serializable mapping, as `run --json` prints it.
        files: The outcome of each file.
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
    | Finished
)
Observer = Callable[[Event], None]


MAX_EMPTY_PATHS = 6
"""Number of paths that a summary keeps of files with pages that came out empty: one more than a command names."""

_COUNTS = (
    "batches",
    "files",
    "pages",
    "failed_pages",
    "kept_pages",
    "cleaned",
    "not_cleaned",
    "superseded",
    "not_documents",
    "unchanged",
    "empty_pages",
    "unsure_pages",
)


@dataclass(slots=True)
class Summary:
    """What a run did. `run --json` prints `to_json` as its last line.

    Attributes:
        batches: Number of batches committed.
        files: Number of files committed.
        pages: Number of pages read and committed.
        failed_pages: Number of them that failed. Their rows say why there is no text.
        kept_pages: Number of rows that were kept while other pages of the same files were read again.
        left_out: By URL, why a file was left for the next trigger.
        cleaned: Number of files archived or deleted.
        not_cleaned: Number of files that could not be archived or deleted.
        superseded: In mode upsert, number of files that were read but not committed, because their path had got newer
            rows meanwhile.
        unchanged: Number of files that got no rows, because their bytes have rows already.
        empty_pages: Number of pages with ink on which no word was read.
        empty_paths: URLs of some of their files.
        unsure_pages: Number of pages with a very low confidence.
        next_steps: What to do about the pages that failed or are probably wrong.
        unsettled: By URL, announced objects that have to wait; of this run only, as `add` does not change it.
        skipped: Counts of the files that the source holds and the run did not read; of this run only, too.
        not_documents: Number of committed files whose rows say `unsupported`.
        version: The table's version at the end; -1 if there is no table yet.
        table: URL of the pages table.
        overlays: URLs of some of the overlays written, for display.
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
    unchanged: int = 0
    empty_pages: int = 0
    empty_paths: list[str] = field(default_factory=list)
    unsure_pages: int = 0
    next_steps: tuple[NextStep, ...] = ()
    unsettled: Mapping[str, Unsettled] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=Skipped)
    not_documents: int = 0
    version: int = -1
    overlays: list[str] = field(default_factory=list)

    def add(self, other: Summary) -> None:
        """Add what a later run into the same table did."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.left_out.update(other.left_out)
        self.empty_paths = [*self.empty_paths, *other.empty_paths][:MAX_EMPTY_PATHS]
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
            "unchanged": self.unchanged,
            "empty_pages": self.empty_pages,
            "unsure_pages": self.unsure_pages,
            "next_steps": [step.to_json() for step in self.next_steps],
            "cleaned": self.cleaned,
            "not_cleaned": self.not_cleaned,
            "not_documents": self.not_documents,
            "skipped": self.skipped.to_json(),
            "version": self.version,
            "table": self.table,
        }


def timestamp() -> str:
    """Return the current time as Spark's progress reports write it: UTC, ISO 8601, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

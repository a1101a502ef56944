"""The commit loop: the only place where exactly-once is decided.

`commit_steps` decides and does no I/O: it yields operations and receives their answers, so tests can interleave
drivers, crashes and lost replies one operation at a time. `commit_batch` runs the operations on the real table.

Why it is correct: a commit carries `Transaction(stream, v + 1)`, and the store accepts one commit per table version. If
two drivers of a stream open the table at the same `v`, the second one is refused, because the table's conflict check
sees that its own stream's transaction has moved. So a driver that commits has seen, through the same handle, every
earlier commit of the stream, and left out the files that those commits contain.

A commit counts only when it is durable: what the loop returns may be acknowledged (a document deleted from its source,
an event settled), also for files that another driver has committed.

A batch leaves out a file, new or replaced, if the table has rows of this file version with a `batch_id` above
`planned_at`; planning saw all rows up to there. In mode `upsert` it also leaves out a file if the table has such rows
of a version of its path that is not older.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.commit.operations import (
    Answer,
    Append,
    Committed,
    CommittedSince,
    FindCommit,
    Landed,
    MakeDurable,
    ModifiedSince,
    Open,
    Opened,
    Operation,
    Runner,
    Wait,
)
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.model import Batch, FileKey
from inkstream.tasks.retries import back_off

__all__ = ["MAX_ATTEMPTS", "Committed", "Upsert", "commit_batch", "commit_steps", "run_steps", "seen_after"]

MAX_ATTEMPTS = 12
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0

Steps = Generator[Operation, Answer, Committed]


@dataclass(frozen=True, slots=True)
class Upsert:
    """What mode `upsert` needs to know about a batch.

    Attributes:
        modified: Modification time of each file, by its index.
        replacing: Paths that had rows of other versions when the batch was planned.
    """

    modified: Mapping[int, datetime]
    replacing: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Choice:
    """The files that an attempt commits.

    Attributes:
        files: Indices of these files.
        superseded: Indices of files that are not committed because their path has a version that is not older.
        replacing: Paths whose other rows are removed.
    """

    files: tuple[int, ...]
    superseded: tuple[int, ...] = ()
    replacing: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Loop:
    """The state of a batch's loop between attempts."""

    keys: Mapping[int, FileKey]
    commit_id: str
    planned_at: int
    upsert: Upsert | None
    first_version: int | None = None
    tried: dict[int, _Choice] = field(default_factory=dict)
    error: Exception | None = None

    @property
    def may_append(self) -> bool:
        """Whether another append may succeed after the last error, if any."""
        return self.error is None or isinstance(self.error, TransientError)

    def failed(self, error: Exception) -> None:
        """Keep the error to raise at the end: the first permanent one, else the latest."""
        if self.may_append:
            self.error = error

    def choose(self, others: Collection[FileKey] | Mapping[FileKey, datetime]) -> _Choice:
        """Return the files to commit, without those that others have committed since the plan."""
        left = tuple(index for index, key in self.keys.items() if key not in others)
        if self.upsert is None:
            return _Choice(left)
        assert isinstance(others, Mapping)
        rivals: dict[str, datetime] = {}
        for (path, *_), modified in others.items():
            rivals[path] = max(modified, rivals.get(path, modified))
        # Only the source can tell which of two versions with the same time is newer, so the next plan decides.
        over = tuple(i for i in left if self._path(i) in rivals and rivals[self._path(i)] >= self.upsert.modified[i])
        files = tuple(index for index in left if index not in over)
        there = self.upsert.replacing | rivals.keys()
        return _Choice(files, over, there.intersection(self._path(index) for index in files))

    def _path(self, index: int) -> str:
        return self.keys[index][0]

    def committed(self, choice: _Choice, batch_id: int | None, version: int) -> Committed:
        """Return the outcome. Files that were neither committed nor superseded had been done by others."""
        rest = {*choice.files, *choice.superseded}
        done = tuple(index for index in self.keys if index not in rest)
        return Committed(batch_id, version, choice.files, done, choice.superseded)


def commit_steps(
    keys: Mapping[int, FileKey],
    *,
    commit_id: str,
    planned_at: int,
    upsert: Upsert | None = None,
    max_attempts: int = MAX_ATTEMPTS,
) -> Steps:
    """Decide how a batch becomes one commit. Yields operations; answers are sent in, errors are thrown in.

    Args:
        keys: The keys of the complete files, by index in the batch.
        commit_id: A random id that only this batch has.
        planned_at: The stream's transaction version in the snapshot the batch was planned from.
        upsert: What is needed to let newer versions replace older ones; None to keep all versions.
        max_attempts: Maximum number of appends while the table changes or the store fails.

    Returns:
        What was committed and is durable, as the generator's return value.

    Raises:
        TransientError: If no attempt succeeded, or the table is older than the plan.
        InkstreamError: The error of an operation, if no retry can help. The commit did not land, or is not durable.
    """
    loop = _Loop(keys, commit_id, planned_at, upsert)
    for attempt in range(max_attempts + 1):
        if attempt and loop.may_append:
            yield Wait(attempt)
        try:
            last = attempt == max_attempts
            done = yield from _attempt(loop, only_look=last or not loop.may_append)
        except Exception as error:
            if not loop.tried and not isinstance(error, TransientError):
                raise
            loop.failed(error)
            continue
        if done is not None:
            yield MakeDurable(done.version)
            return done
        break
    assert loop.error is not None
    raise loop.error


def _attempt(loop: _Loop, *, only_look: bool) -> Generator[Operation, Answer, Committed | None]:
    """Make one attempt with a new handle: look for a commit whose reply was lost, check again, append."""
    opened = yield Open()
    assert isinstance(opened, Opened)
    if loop.first_version is None:
        loop.first_version = opened.version
    if loop.tried:
        landed = yield FindCommit(loop.commit_id, loop.first_version)
        if isinstance(landed, Landed):
            return loop.committed(loop.tried[landed.batch_id], landed.batch_id, landed.version)
    if only_look:
        return None
    if opened.transaction < loop.planned_at:
        loop.failed(TransientError("the table is older than this batch's plan (was it replaced?): plan again"))
        return None
    others: Answer = frozenset() if loop.upsert is None else {}
    if opened.transaction > loop.planned_at:
        others = yield CommittedSince(loop.planned_at) if loop.upsert is None else ModifiedSince(loop.planned_at)
    assert isinstance(others, frozenset | dict)
    choice = loop.choose(others)
    if not choice.files:
        return loop.committed(choice, None, opened.version)
    batch_id = opened.transaction + 1
    loop.tried[batch_id] = choice
    version = yield Append(choice.files, batch_id, loop.commit_id, choice.replacing)
    assert isinstance(version, int)
    return loop.committed(choice, batch_id, version)


def seen_after(planned_at: int, committed: Committed) -> int:
    """Return the highest `batch_id` that the run's later batches need not be compared with, after one of its commits.

    If the commit got the number right after `planned_at`, no other commit is in between, and its own files are in
    no later batch. Otherwise the commits in between still have to be compared.

    Args:
        planned_at: This value before the commit.
        committed: The outcome of the commit.
    """
    return committed.batch_id if committed.batch_id == planned_at + 1 else planned_at


def run_steps(steps: Steps, runner: Runner) -> Committed:
    """Run the loop's operations one after another, and return the outcome."""
    operation = next(steps)
    while True:
        resume: Callable[[], Operation]
        try:
            answer: Answer = None
            if isinstance(operation, Wait):
                back_off(operation.attempt, first=_FIRST_DELAY, longest=_LONGEST_DELAY)
            else:
                answer = runner.run(operation)
        except Exception as error:  # noqa: BLE001 - the loop decides what each error means
            resume = partial(steps.throw, error)
        else:
            resume = partial(steps.send, answer)
        try:
            operation = resume()
        except StopIteration as stop:
            committed: Committed = stop.value
            return committed


def commit_batch(  # noqa: PLR0913 - everything that a commit depends on
    runner: Runner,
    batch: Batch,
    spool: ResultSpool,
    complete: Sequence[int],
    *,
    mode: str = "append",
    selected: Callable[[int], Sequence[int]] = range,
) -> Committed:
    """Commit a batch's complete files, except those that another driver has committed in the meantime.

    Args:
        runner: Runs the loop's operations against the sink; from `Sink.runner`.
        batch: The planned batch.
        spool: The rows of the batch.
        complete: Indices of the files that have a row for every page.
        mode: `append`, or `upsert` to let a newer version of a path replace the rows of older ones.
        selected: Returns the pages to read, 0-based, given a file's number of pages; all if not given.

    Raises:
        TransientError: If the table or the store cannot accept the commit now; nothing may be acknowledged.
        EnvironmentFault: If the table cannot be written from here; nothing may be acknowledged.
        ConfigError: If the rows do not fit the table.
        ValueError: If a file does not have exactly one row for each page to read.
    """
    again = batch.redo.again if batch.redo else {}
    for index in complete:  # single pages are only read again if the file was read whole
        spool.require_whole(index, range if index in again else selected)
    keys = {index: batch.files[index].key for index in complete}
    if not keys:
        raise ValueError("a commit needs at least one complete file")
    upsert = None
    if mode == "upsert":
        upsert = Upsert({index: batch.files[index].modified for index in complete}, batch.replacing)
    steps = commit_steps(keys, commit_id=batch.attempt_id, planned_at=batch.planned_at, upsert=upsert)
    return run_steps(steps, runner)

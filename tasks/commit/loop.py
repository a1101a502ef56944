"""The commit loop: the only place where exactly-once is decided.

`commit_steps` decides and does no I/O: it yields operations and is sent their answers, so tests can
interleave drivers, crashes and lost replies one operation at a time. `commit_batch` runs it on the real
table.

Why it is right. A commit carries `Transaction(stream, v + 1)`, and the store admits one commit per table
version. Of two drivers of one stream that opened the table at the same `v`, the second is refused, because
the table's conflict check sees its own stream's transaction move. So whoever commits has, through that very
handle, seen every earlier commit of the stream and left out what it did. What a batch must not find is the
same whether a file is new or replaced: rows of the file version with a `batch_id` above `planned_at`.
Planning saw all rows up to there. In mode `upsert` it is rows of any version of its path that is not older.
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
    """What mode `upsert` must know of a batch.

    Attributes:
        modified: When each file was modified, by its index.
        replacing: Paths that had rows of other versions when the batch was planned.
    """

    modified: Mapping[int, datetime]
    replacing: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which files an attempt commits.

    Attributes:
        files: Their indices.
        superseded: Indices of those that are not committed, as their path has a version that is not older.
        replacing: Paths of which other rows go.
    """

    files: tuple[int, ...]
    superseded: tuple[int, ...] = ()
    replacing: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Loop:
    """What one batch's loop remembers between attempts."""

    keys: Mapping[int, FileKey]
    commit_id: str
    planned_at: int
    upsert: Upsert | None
    first_version: int | None = None
    tried: dict[int, _Choice] = field(default_factory=dict)
    error: Exception | None = None

    @property
    def may_append(self) -> bool:
        """Whether the last error, if any, leaves hope for another append."""
        return self.error is None or isinstance(self.error, TransientError)

    def failed(self, error: Exception) -> None:
        """Keeps the error to tell in the end: the first that no retry can help, else the latest."""
        if self.may_append:
            self.error = error

    def choose(self, others: Collection[FileKey] | Mapping[FileKey, datetime]) -> _Choice:
        """Leaves out what others have committed since the plan."""
        left = tuple(index for index, key in self.keys.items() if key not in others)
        if self.upsert is None:
            return _Choice(left)
        assert isinstance(others, Mapping)
        rivals: dict[str, datetime] = {}
        for (path, *_), modified in others.items():
            rivals[path] = max(modified, rivals.get(path, modified))
        # Of two versions with the same time, only a look at the source could tell which is newer: the next plan does.
        over = tuple(i for i in left if self._path(i) in rivals and rivals[self._path(i)] >= self.upsert.modified[i])
        files = tuple(index for index in left if index not in over)
        there = self.upsert.replacing | rivals.keys()
        return _Choice(files, over, there.intersection(self._path(index) for index in files))

    def _path(self, index: int) -> str:
        return self.keys[index][0]

    def committed(self, choice: _Choice, batch_id: int | None, version: int) -> Committed:
        """Sums up: what was neither committed nor superseded had been done by others."""
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
    """Decides how a batch becomes one commit. Yields operations; answers are sent in, errors thrown in.

    Args:
        keys: The complete files: index in the batch, and identity.
        commit_id: Random, and this batch's own.
        planned_at: The stream's transaction version in the snapshot the batch was planned from.
        upsert: What must be known to let newer versions replace older ones; None to keep all of them.
        max_attempts: How often to append at most while the table moves or the store fails.

    Returns:
        What was committed. It is the generator's return value.

    Raises:
        TransientError: If no attempt succeeded, or the table went back behind the plan.
        InkstreamError: What an operation failed with, if no retry can help and the commit did not land.
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
            return done
        break
    assert loop.error is not None
    raise loop.error


def _attempt(loop: _Loop, *, only_look: bool) -> Generator[Operation, Answer, Committed | None]:
    """One round through a new handle: look for a commit whose reply was lost, check again, append."""
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
        loop.failed(TransientError("the table went back behind this batch's plan (was it replaced?): plan again"))
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
    """Returns up to which `batch_id` there can be nothing of the same run's later batches, after one of its commits.

    Where the commit got the very next number nobody's lies between, and its own files are in no later batch. Else those
    who were between are still to be looked at.

    Args:
        planned_at: Up to which there was nothing of them before.
        committed: What came of the batch.
    """
    return committed.batch_id if committed.batch_id == planned_at + 1 else planned_at


def run_steps(steps: Steps, runner: Runner) -> Committed:
    """Runs the loop's operations one after another."""
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


def commit_batch(  # noqa: PLR0913 - all that a commit depends on
    runner: Runner,
    batch: Batch,
    spool: ResultSpool,
    complete: Sequence[int],
    *,
    mode: str = "append",
    selected: Callable[[int], Sequence[int]] = range,
) -> Committed:
    """Commit a batch's complete files, each unless another driver has done it meanwhile.

    Args:
        runner: Runs the loop's operations against the sink; from `Sink.runner`.
        batch: What was planned.
        spool: The rows.
        complete: Indices of the files whose every page has its row.
        mode: `append`, or `upsert` to let a newer version of a path replace the rows of older ones.
        selected: Returns the pages to be read of a file that has so many, 0-based; all when not given.

    Raises:
        TransientError: If the table or the store cannot take it now; nothing was committed.
        EnvironmentFault: If the table cannot be written from here; nothing was committed.
        ConfigError: If the rows do not fit the table.
        ValueError: If a file does not have one row for each of its pages that are to be read.
    """
    again = batch.redo.again if batch.redo else {}
    for index in complete:  # some pages are read again only of a file that was read whole
        spool.require_whole(index, range if index in again else selected)
    keys = {index: batch.files[index].key for index in complete}
    if not keys:
        raise ValueError("a commit needs at least one complete file")
    upsert = None
    if mode == "upsert":
        upsert = Upsert({index: batch.files[index].modified for index in complete}, batch.replacing)
    steps = commit_steps(keys, commit_id=batch.attempt_id, planned_at=batch.planned_at, upsert=upsert)
    return run_steps(steps, runner)

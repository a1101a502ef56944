"""A model of a Delta table, a ledger and drivers in memory, stepped one operation at a time.

The table refuses exactly what Delta refuses: a commit whose stream's transaction moved since the handle was opened. A
commit can be refused, land with its reply lost, or hang in the network and land much later (a conditional PUT lands if
its version is still free).

In mode `upsert` two paths are overwritten repeatedly, and only the newest version of each is listed. Every second
version of a path has the same modification time as the version before it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.commit.loop import Upsert, commit_steps, seen_after
from inkstream.tasks.commit.operations import (
    Append,
    Committed,
    CommittedSince,
    FindCommit,
    Landed,
    ModifiedSince,
    Open,
    Opened,
    Operation,
)
from inkstream.tasks.model import FileKey

STREAM = "main"


@dataclass(frozen=True, slots=True)
class ModelCommit:
    """One version of the table."""

    stream: str | None
    transaction: int = -1
    commit_id: str = ""
    added: tuple[FileKey, ...] = ()
    replaces: bool = False
    forgets: bool = False
    replaces_paths: bool = False


@dataclass(slots=True)
class ModelTable:
    """A log of commits; a snapshot is a length of it."""

    log: list[ModelCommit] = field(default_factory=list)
    in_flight: list[tuple[int, ModelCommit]] = field(default_factory=list)

    def transaction(self, version: int, stream: str = STREAM) -> int:
        return max((c.transaction for c in self.log[:version] if c.stream == stream), default=-1)

    def rows(self, version: int) -> list[tuple[FileKey, int]]:
        """Return the (file version, batch_id) of every file's rows in a snapshot."""
        rows: list[tuple[FileKey, int]] = []
        for commit in self.log[:version]:
            if commit.replaces_paths:
                paths = {path for path, *_ in commit.added}
                rows = [row for row in rows if row[0][0] not in paths]
            if commit.replaces:
                rows = [row for row in rows if row[0] not in commit.added]
            rows += [(key, commit.transaction) for key in commit.added if commit.stream == STREAM]
        return rows

    def append(self, handle: int, commit: ModelCommit) -> int:
        """Commit through a handle opened at version `handle`, after others' commits that do not conflict."""
        if commit.stream and any(c.stream == commit.stream for c in self.log[handle:]):
            raise TransientError("Concurrent transaction failed.")
        self.log.append(commit)
        return len(self.log)

    def stall(self, handle: int, commit: ModelCommit) -> None:
        """Send the PUT of the next version, which hangs."""
        if not any(c.stream == commit.stream for c in self.log[handle:]):
            self.in_flight.append((len(self.log), commit))

    def deliver(self) -> None:
        """Let the oldest hanging PUT arrive: it lands only if its version is still free."""
        if self.in_flight:
            version, commit = self.in_flight.pop(0)
            if version == len(self.log):
                self.log.append(commit)


@dataclass(slots=True)
class Step:
    """One step of a driver: a function for how it happens, and one for how it hangs."""

    happen: Callable[[], Any]
    stall: Callable[[], None] = lambda: None


Driver = Generator[Step, Any, None]


@dataclass(slots=True)
class ModelWorld:
    """The source's files, the tables, and a state file for the control."""

    upsert: bool = False
    files: list[FileKey] = field(default_factory=list)
    pages: ModelTable = field(default_factory=ModelTable)
    ledger: ModelTable = field(default_factory=ModelTable)
    state_file: set[FileKey] = field(default_factory=set)
    ids: Iterable[int] = field(default_factory=itertools.count)

    def arrive(self) -> None:
        number = len(self.files)
        name = number % 2 if self.upsert else number
        self.files.append((f"file:///in/{name}", f"etag{number}", number))

    def listing(self) -> list[FileKey]:
        return list({key[0]: key for key in self.files}.values())

    def fresh_id(self) -> str:
        return f"attempt-{next(iter(self.ids))}"

    def count(self) -> Counter[FileKey]:
        return Counter(key for key, _ in self.pages.rows(len(self.pages.log)))

    def duplicated(self) -> set[FileKey]:
        count = self.count()
        paths = Counter(path for path, *_ in count.elements())
        return {key for key, times in count.items() if times > 1 or (self.upsert and paths[key[0]] > 1)}

    def forgotten(self, version: int) -> set[FileKey]:
        """Return the files whose text was forgotten and has not come back."""
        gone: set[FileKey] = set()
        for commit in self.pages.log[:version]:
            gone = gone | set(commit.added) if commit.forgets else gone - set(commit.added)
        return gone

    def resurrected(self) -> set[FileKey]:
        ever_forgotten = {key for commit in self.pages.log if commit.forgets for key in commit.added}
        return ever_forgotten - self.forgotten(len(self.pages.log))

    def lost(self) -> set[FileKey]:
        return set(self.listing()) - set(self.count())


def modified(key: FileKey) -> datetime:
    """Return when a version was modified; every second version of a path has the time of the one before it."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=key[2] // 4)


def inkstream_trigger(world: ModelWorld, batch_size: int, task: str) -> Driver:
    """Run one trigger: discover, then commit batch by batch and project the ledger."""
    ledger_version: int = yield Step(lambda: len(world.ledger.log))
    snapshot: int = yield Step(lambda: len(world.pages.log))
    listed: list[FileKey] = yield Step(world.listing)
    projected = world.ledger.transaction(ledger_version)
    rows = world.ledger.rows(ledger_version)
    rows += [row for row in world.pages.rows(snapshot) if row[1] > projected]
    planned_at = world.pages.transaction(snapshot)
    current = [key for key, _ in world.pages.rows(snapshot)]
    current = [key for key in current if key not in world.forgotten(snapshot)]
    if world.upsert:
        latest = {key[0]: key for key, _ in sorted(rows, key=lambda row: (modified(row[0]), row[1]))}
        new = [
            key
            for key in listed
            if key[0] not in latest or (key != latest[key[0]] and modified(key) >= modified(latest[key[0]]))
        ]
        replacing = frozenset(latest)
    else:
        known = {key for key, _ in rows}
        new = [key for key in listed if key not in known]
        replacing = frozenset()
    wanted = {"run": new, "partly": new[1:], "replace": current, "forget": current[:1]}[task]
    for start in range(0, len(wanted), batch_size):
        committed = yield from _commit(world, wanted[start : start + batch_size], planned_at, task, replacing)
        planned_at = seen_after(planned_at, committed)
        yield from _project(world)
    if not wanted:
        yield from _project(world)


def _commit(
    world: ModelWorld, batch: list[FileKey], planned_at: int, task: str, replacing: frozenset[str]
) -> Generator[Step, Any, Committed]:
    keys = dict(enumerate(batch))
    upsert = Upsert({index: modified(key) for index, key in keys.items()}, replacing) if world.upsert else None
    steps = commit_steps(keys, commit_id=world.fresh_id(), planned_at=planned_at, upsert=upsert, max_attempts=4)
    handle = 0
    operation = next(steps)
    while True:
        resume: Callable[[], Operation]
        try:
            answer = yield table_step(world.pages, handle, operation, keys, task)
            if isinstance(operation, Open):
                handle = answer.version
        except TransientError as error:
            resume = partial(steps.throw, error)
        else:
            resume = partial(steps.send, answer)
        try:
            operation = resume()
        except StopIteration as stop:
            committed: Committed = stop.value
            return committed


def table_step(table: ModelTable, handle: int, operation: Operation, keys: dict[int, FileKey], task: str) -> Step:
    if isinstance(operation, Open):
        return Step(lambda: Opened(len(table.log), table.transaction(len(table.log))))
    if isinstance(operation, CommittedSince):
        after = operation.after
        return Step(lambda: frozenset(key for key, batch_id in table.rows(handle) if batch_id > after))
    if isinstance(operation, ModifiedSince):
        since = operation.after
        return Step(lambda: {key: modified(key) for key, batch_id in table.rows(handle) if batch_id > since})
    if isinstance(operation, FindCommit):
        return Step(lambda: _find(table, handle, operation))
    if isinstance(operation, Append):
        added = tuple(keys[index] for index in operation.files)
        paths = bool(operation.replacing)
        commit = ModelCommit(
            STREAM,
            operation.batch_id,
            operation.commit_id,
            added,
            replaces=task != "run" and not paths,
            forgets=task == "forget",
            replaces_paths=paths,
        )
        return Step(lambda: table.append(handle, commit), lambda: table.stall(handle, commit))
    return Step(lambda: None)


def _find(table: ModelTable, handle: int, operation: FindCommit) -> Landed | None:
    for version, commit in enumerate(table.log[:handle], start=1):
        if version > operation.after and commit.commit_id == operation.commit_id:
            return Landed(commit.transaction, version)
    return None


def _project(world: ModelWorld) -> Driver:
    for _ in range(4):
        handle: int = yield Step(lambda: len(world.ledger.log))
        snapshot: int = yield Step(lambda: len(world.pages.log))
        after, upto = world.ledger.transaction(handle), world.pages.transaction(snapshot)
        if after >= upto:
            return
        rows = tuple(key for key, batch_id in world.pages.rows(snapshot) if after < batch_id <= upto)
        commit = ModelCommit(STREAM, upto, added=rows)

        def append(handle: int = handle, commit: ModelCommit = commit) -> int:
            return world.ledger.append(handle, commit)

        def stall(handle: int = handle, commit: ModelCommit = commit) -> None:
            world.ledger.stall(handle, commit)

        try:
            yield Step(append, stall)
        except TransientError:
            continue
        return


def control_trigger(world: ModelWorld, batch_size: int, task: str) -> Driver:
    """Run one trigger in the obvious way: append, then record the finished files in a separate file."""
    recorded: set[FileKey] = yield Step(lambda: set(world.state_file))
    listed: list[FileKey] = yield Step(world.listing)
    wanted = [key for key in listed if key not in recorded]
    for start in range(0, len(wanted), batch_size):
        batch = tuple(wanted[start : start + batch_size])
        commit = ModelCommit(STREAM, len(world.pages.log), "", batch)
        yield Step(partial(world.pages.log.append, commit))
        yield Step(partial(world.state_file.update, batch))


Trigger = Callable[[ModelWorld, int, str], Driver]
EVENTS = ("step", "lost", "fail", "stall", "crash", "crash_after", "deliver", "arrive", "foreign")


def run_schedule(
    trigger: Trigger,
    schedule: Iterable[tuple[int, int, str]],
    *,
    batch_size: int,
    replacing: int,
    forgetting: int = -1,
    partly: int = -1,
    upsert: bool = False,
) -> ModelWorld:
    """Run drivers as the schedule says, then run one driver undisturbed until it finds nothing new.

    Args:
        trigger: Runs one trigger of a driver.
        schedule: Which driver runs next, its number of undisturbed steps, and the event after them.
        batch_size: Maximum number of files in a batch.
        replacing: Index of the driver that reprocesses committed files instead of reading new ones; -1: none.
        forgetting: Index of the driver that forgets committed files, one at a time; -1: none.
        partly: Index of the driver that cannot read the first new file and leaves it out; -1: none.
        upsert: Whether a newer version of a path replaces the older.

    Returns:
        The world, after the first duplicate if there is one.
    """
    world = ModelWorld(upsert)
    for _ in range(3):
        world.arrive()
    running: dict[int, _Running] = {}
    for number, steps, last_event in schedule:
        for event in [*["step"] * steps, last_event]:
            if event in ("deliver", "arrive", "foreign"):
                _apply(world, event)
            else:
                driver = running.pop(number, None)
                task = {replacing: "replace", forgetting: "forget", partly: "partly"}.get(number, "run")
                driver = driver or _Running(trigger(world, batch_size, task))
                if driver.advance(event):
                    running[number] = driver
            if world.duplicated():
                return world
    while world.pages.in_flight or world.ledger.in_flight:
        world.pages.deliver()
        world.ledger.deliver()
    last = _Running(trigger(world, batch_size, "run"))
    while last.advance("step"):
        pass
    return world


def _apply(world: ModelWorld, event: str) -> None:
    if event == "deliver":
        world.pages.deliver()
        world.ledger.deliver()
    elif event == "arrive":
        world.arrive()
    else:
        world.pages.log.append(ModelCommit(None))  # a compaction, or another stream


class _Running:
    """A driver in the middle of a trigger."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._step: Step | None = None

    def advance(self, event: str) -> bool:
        """Do the driver's next step as `event` says; return False if the trigger or the process has ended."""
        try:
            if self._step is None:
                self._step = next(self._driver)
            if event == "crash":
                return False
            self._step = self._resume(self._step, event)
        except (StopIteration, TransientError):
            return False
        return event != "crash_after"

    def _resume(self, step: Step, event: str) -> Step:
        """Perform the step or skip it, and send the driver its answer or throw an error into it."""
        try:
            if event == "stall":
                step.stall()
            answer = None if event in ("stall", "fail") else step.happen()
        except TransientError as error:
            return self._driver.throw(error)
        if event in ("step", "crash_after"):
            return self._driver.send(answer)
        return self._driver.throw(TransientError(event))

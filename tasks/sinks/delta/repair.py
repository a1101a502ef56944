"""Checking the end of a Delta table's log after a power cut, and taking back what was lost.

A log entry, a data file or a checkpoint that was not synced may be empty, short or gone. Such a commit was never
acknowledged (see `inkstream.tasks.sinks.delta.durable`), so it is taken back, and its documents are read again: the
place of a lost entry is filled with one that changes nothing, and a commit with a lost data file is undone by a new
one. The damaged files are kept in `SINK/repaired`.

Tables that were written without syncs may have lost an entry that was acknowledged. Taking it back is right there, too:
its rows are gone, and a document that still exists is read again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.sinks.delta.log import Action, LocalLog, added
from inkstream.tasks.whole_files import make_folder, sync_file, sync_folder, write_whole

_LOCK = ".inkstream-repair"
_NOT_LONG = 600_000
"""Milliseconds: longer than a file waits for its commit while other drivers commit, and for the disk."""
_FIRST_CHECKPOINT = 10
"""No entry is removed from a log before its first checkpoint, which is written at this version or later."""


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that a table has lost.

    Attributes:
        path: The file.
        problem: What is wrong with it, such as `is empty`.
        version: The table version that it belongs to; None for the file that names the newest checkpoint.
        kind: `entry`, `data`, `checkpoint` or `hint`; `covered` for an entry that a checkpoint has taken in.
    """

    path: Path
    problem: str
    version: int | None
    kind: str

    def __str__(self) -> str:
        return f"{self.path} {self.problem}"


@dataclass(frozen=True, slots=True)
class _LiveFile:
    """A data file of the latest version.

    Attributes:
        version: The version that added it; None if that is before the newest intact checkpoint.
        size: In bytes.
        modified: When it was written, in milliseconds since 1970.
    """

    version: int | None
    size: int
    modified: int


@dataclass(slots=True)
class _LogState:
    """What is in a log, as far as it can be read.

    Attributes:
        live: The data files of the latest version, by path in the log.
        damage: What is lost.
    """

    live: dict[str, _LiveFile] = field(default_factory=dict)
    damage: list[Damage] = field(default_factory=list)


def find_damage(table: Path, durable_at: int | None = None, *, thorough: bool = False) -> list[Damage]:
    """Return what a table has lost.

    Data files that were written shortly before `durable_at` or later are decoded: a file may have its length back, and
    zeros in it. Of older ones the end is read, and of those in the newest checkpoint only the length.

    Args:
        table: The table's folder.
        durable_at: When the table was known to be durable, in milliseconds since 1970; None for the time of its newest
            data file.
        thorough: Whether to decode all data files.
    """
    log = LocalLog(table)
    state = _read_log(log)
    if durable_at is None:
        durable_at = max((each.modified for each in state.live.values()), default=0)
    for path, each in state.live.items():
        file = log.data_file({"path": path})
        problem = _problem_of_length(file, each.size)
        decode = thorough or each.modified >= durable_at - _NOT_LONG
        if problem is None and (decode or each.version is not None):
            problem = _problem_of_parquet(file, decode=decode)
        if problem:
            state.damage.append(Damage(file, problem, each.version, "data"))
    return state.damage


def repair(table: Path, kept_in: Path, first_entry: Callable[[], bytes], *, thorough: bool = False) -> list[Damage]:
    """Take back what a table has lost, until nothing is missing.

    Args:
        table: The table's folder.
        kept_in: Folder for the damaged files.
        first_entry: Returns the first entry of a new table, for a log that has lost its own.
        thorough: Whether to decode all data files.

    Returns:
        What was lost; empty if the table is whole.

    Raises:
        EnvironmentFault: If this cannot be repaired.
        OSError: If a file cannot be read or written.
    """
    found: list[Damage] = []
    before: list[Damage] = []
    log = LocalLog(table)
    with _locked(log.folder):
        while damage := find_damage(table, thorough=thorough):
            if damage == before:
                raise _cannot_repair(table, damage[0])
            before = damage
            found += [each for each in damage if each not in found]
            _require_history(log, damage)
            for each in damage:
                _keep(each.path, kept_in)
            _repair_log([each for each in damage if each.kind != "data"], first_entry)
            if all(each.kind == "data" for each in damage):
                _take_back(log, [each.path for each in damage])
        sync_folder(log.folder)
    return found


def _require_history(log: LocalLog, damage: Sequence[Damage]) -> None:
    """Check that the table can be read from an intact checkpoint, or from its first entry.

    Old entries are removed once a checkpoint has taken them in. If that checkpoint is lost, so is the table.
    """
    lost = {each.version: each for each in damage if each.kind == "checkpoint"}
    start = max((version for version in log.checkpoints() if version not in lost), default=-1)
    first = min((version for version in log.versions() if version > start), default=None)
    if lost and (first is None or first > start + 1):
        raise _cannot_repair(log.table, next(iter(lost.values())))
    if start < 0 and first is not None and first > _FIRST_CHECKPOINT:
        raise _cannot_repair(log.table, damage[0])


def _read_log(log: LocalLog) -> _LogState:
    state = _LogState()
    start = -1
    for version in reversed(log.checkpoints()):
        files = log.checkpoint_files(version)
        problems = [
            Damage(path, problem, version, "checkpoint")
            for path in files
            if (problem := _problem_of_parquet(path, decode=True))
        ]
        state.damage += problems
        if not problems:
            start = version
            state.live = {add["path"]: _live_file(None, add) for path in files for add in _in_checkpoint(path)}
            break
    state.damage += _damaged_hint(log, [each.version for each in state.damage])
    for version in range(max(start, 0), max([start, *log.versions()]) + 1):
        is_covered = version == start  # only the newest entry of a checkpoint is needed, to go on from
        try:
            actions = log.actions(version)
        except FileNotFoundError:
            state.damage.append(Damage(log.entry(version), "is missing", version, _kind(is_covered)))
        except ValueError:
            size = log.entry(version).stat().st_size
            problem = "is not a complete log entry" if size else "is empty"
            state.damage.append(Damage(log.entry(version), problem, version, _kind(is_covered)))
        else:
            if not is_covered:
                _apply(state, version, actions)
    return state


def _kind(is_covered: bool) -> str:
    return "covered" if is_covered else "entry"


def _apply(state: _LogState, version: int, actions: list[Action]) -> None:
    for action in actions:
        if "remove" in action:
            state.live.pop(action["remove"]["path"], None)
    for add in added(actions):
        state.live[add["path"]] = _live_file(version, add)


def _live_file(version: int | None, add: Action) -> _LiveFile:
    return _LiveFile(version, int(add["size"]), int(add.get("modificationTime") or 0))


def _in_checkpoint(path: Path) -> Iterator[Action]:
    with pq.ParquetFile(path) as file:
        adds = file.read(columns=["add.path", "add.size", "add.modificationTime"], use_threads=False).column("add")
    return (add for add in adds.to_pylist() if add and add["path"])


def _damaged_hint(log: LocalLog, lost: Sequence[int | None]) -> Iterator[Damage]:
    try:
        named = json.loads(log.hint.read_bytes())["version"]
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        yield Damage(log.hint, "cannot be read", None, "hint")
        return
    if named in lost or not log.checkpoint_files(named):
        yield Damage(log.hint, f"names checkpoint {named}, which is not there", None, "hint")


def _problem_of_length(path: Path, size: int) -> str | None:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        return "is missing"
    return None if found == size else f"has {found} bytes of {size}"


def _problem_of_parquet(path: Path, *, decode: bool) -> str | None:
    try:
        with pq.ParquetFile(path) as file:
            if decode:
                for batch in file.iter_batches(use_threads=False):
                    batch.validate()
    except FileNotFoundError:
        return "is missing"
    except Exception:  # noqa: BLE001 - Arrow raises many kinds of errors for a damaged file
        return "is not a complete Parquet file" if path.stat().st_size else "is empty"
    return None


def _repair_log(damage: Sequence[Damage], first_entry: Callable[[], bytes]) -> None:
    """Remove checkpoints and hints that cannot be read, and fill the places of lost entries."""
    for each in damage:
        if each.kind in ("checkpoint", "hint"):
            each.path.unlink(missing_ok=True)
        elif each.version == 0 and each.kind == "entry":
            write_whole(each.path, first_entry())
        else:
            write_whole(each.path, _entry(f"{each.path.name} {each.problem}", []))


def _take_back(log: LocalLog, lost: Sequence[Path]) -> None:
    """Add an entry to the log that undoes the commits whose data files are lost.

    What such a commit has added is removed, and what it has removed is added again. Of a commit whose own entry is no
    longer there, only the lost file can be removed.
    """
    live = _read_log(log).live
    removed = {path for path in live if log.data_file({"path": path}) in lost}
    back: dict[str, Action] = {}
    for version in log.versions():
        try:
            actions = log.actions(version)
        except ValueError:
            continue  # an entry before the newest checkpoint, which nobody needs
        if removed.isdisjoint(add["path"] for add in added(actions)):
            continue
        removed |= {add["path"] for add in added(actions) if add["path"] in live}
        back |= {action["remove"]["path"]: action["remove"] for action in actions if "remove" in action}
    now = int(time.time() * 1000)
    undone: list[Action] = [
        {"remove": {"path": path, "deletionTimestamp": now, "dataChange": True}} for path in sorted(removed)
    ]
    for path, was in sorted(back.items()):
        file = log.data_file(was)
        if path not in live and file.exists():
            size = file.stat().st_size
            add = {"path": path, "partitionValues": {}, "size": size, "modificationTime": now, "dataChange": True}
            undone.append({"add": add})
    newest = max([*log.versions(), *log.checkpoints()])
    write_whole(log.entry(newest + 1), _entry(f"{lost[0].name} is lost", undone))


def _entry(reason: str, actions: Sequence[Action]) -> bytes:
    info = {
        "timestamp": int(time.time() * 1000),
        "operation": "REPAIR",
        "operationParameters": {"reason": reason},
        "engineInfo": "inkstream",
    }
    return "".join(json.dumps(action) + "\n" for action in [{"commitInfo": info}, *actions]).encode()


def _keep(path: Path, folder: Path) -> None:
    """Copy a damaged file, unless it is there already."""
    target = folder / path.parent.name / path.name
    if path.exists() and not target.exists():
        make_folder(target.parent)
        shutil.copyfile(path, target)
        sync_file(target)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process repair at a time; the lock ends with the process."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _cannot_repair(table: Path, damage: Damage) -> EnvironmentFault:
    return EnvironmentFault(
        f"the table {table} is damaged and cannot be repaired: {damage}",
        f"restore {table} from a backup; or move it away, and the next run reads all documents again",
    )

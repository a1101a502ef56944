"""Checking the end of a Delta table's log after a power cut, and taking back what was lost.

A log entry, a data file or a checkpoint that was not synced may be empty, short or gone. Such an entry was never
acknowledged (see `inkstream.tasks.sinks.delta.durable`), so it is taken back: its place in the log is filled with an
entry that changes nothing, and its documents are read again. The damaged files are kept in `SINK/repaired`.

Tables that were written without syncs may have lost an entry that was acknowledged. Taking it back is right there, too:
its rows are gone, and a document that still exists is read again.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.sinks.delta.log import Action, LocalLog, added
from inkstream.tasks.whole_files import make_folder, sync_file, sync_folder, write_whole

_KEPT = ("commitInfo", "protocol", "metaData", "txn")
"""Actions of an intact entry that stay when its data files are lost."""
_LOCK = ".inkstream-repair"


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that a table has lost.

    Attributes:
        path: The file.
        problem: What is wrong with it, such as `is empty`.
        version: The table version that it belongs to; None for the file that names the newest checkpoint.
        kind: `entry`, `data`, `checkpoint` or `hint`.
    """

    path: Path
    problem: str
    version: int | None
    kind: str

    def __str__(self) -> str:
        return f"{self.path} {self.problem}"


@dataclass(slots=True)
class _LogState:
    """What is in a log, as far as it can be read.

    Attributes:
        entries: The actions of each intact entry after the newest intact checkpoint, by version.
        damage: What is lost.
        start: The version of that checkpoint; -1 without one.
    """

    entries: dict[int, list[Action]] = field(default_factory=dict)
    damage: list[Damage] = field(default_factory=list)
    start: int = -1


def find_damage(table: Path, decoded_after: int = -1) -> list[Damage]:
    """Return what the end of a table's log has lost: everything after its newest intact checkpoint is looked at.

    Args:
        table: The table's folder.
        decoded_after: Data files of later versions are decoded, and not only looked at: a file may have its length
            back, and zeros in it.
    """
    log = LocalLog(table)
    state = _read_log(log)
    for version, add in _live(state).values():
        path = log.data_file(add)
        problem = _problem_of_data(path, int(add["size"]), deep=version > decoded_after)
        if problem:
            state.damage.append(Damage(path, problem, version, "data"))
    return state.damage


def repair(table: Path, kept_in: Path, first_entry: Callable[[], bytes]) -> list[Damage]:
    """Take back what a table has lost, until nothing is missing.

    Args:
        table: The table's folder.
        kept_in: Folder for the damaged files.
        first_entry: Returns the first entry of a new table, for a log that has lost its own.

    Returns:
        What was lost; empty if the table is whole.

    Raises:
        EnvironmentFault: If this cannot be repaired.
        OSError: If a file cannot be read or written.
    """
    found: list[Damage] = []
    log = LocalLog(table)
    with _locked(log.folder):
        while damage := find_damage(table):
            known = len(found)
            found += [each for each in damage if each not in found]
            if len(found) == known:
                raise _cannot_repair(table, damage[0])
            _require_history(log, damage)
            for each in damage:
                _take_back(log, each, kept_in, first_entry)
        sync_folder(log.folder)
    return found


def _require_history(log: LocalLog, damage: Sequence[Damage]) -> None:
    """Check that the table can be read from an intact checkpoint, or from its first entry.

    Old entries are removed once a checkpoint has taken them in. If that checkpoint is lost, so is the table.
    """
    lost = [each for each in damage if each.kind == "checkpoint"]
    intact = [version for version in log.checkpoints() if version not in [each.version for each in lost]]
    start = intact[-1] if intact else -1
    versions = [version for version in log.versions() if version > start]
    if lost and (not versions or versions[0] > start + 1):
        raise _cannot_repair(log.table, lost[0])
    if not lost and versions and versions[0] > start + 1 and start < 0:
        raise _cannot_repair(log.table, damage[0])


def _read_log(log: LocalLog) -> _LogState:
    state = _LogState()
    for version in reversed(log.checkpoints()):
        problems = [
            Damage(path, problem, version, "checkpoint")
            for path in log.checkpoint_files(version)
            if (problem := _problem_of_parquet(path))
        ]
        state.damage += problems
        if not problems:
            state.start = version
            break
    state.damage += _damaged_hint(log, [each.version for each in state.damage])
    versions = [version for version in log.versions() if version > state.start]
    for version in range(state.start + 1, versions[-1] + 1 if versions else 0):
        try:
            state.entries[version] = log.actions(version)
        except FileNotFoundError:
            state.damage.append(Damage(log.entry(version), "is missing", version, "entry"))
        except ValueError:
            size = log.entry(version).stat().st_size
            problem = "is not a complete log entry" if size else "is empty"
            state.damage.append(Damage(log.entry(version), problem, version, "entry"))
    return state


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


def _live(state: _LogState) -> dict[str, tuple[int, Action]]:
    """Return the files that the entries have added and not removed, with the version that added each, by path."""
    live: dict[str, tuple[int, Action]] = {}
    for version in sorted(state.entries):
        for add in added(state.entries[version]):
            live[add["path"]] = (version, add)
        for action in state.entries[version]:
            if "remove" in action:
                live.pop(action["remove"]["path"], None)
    return live


def _problem_of_data(path: Path, size: int, *, deep: bool) -> str | None:
    try:
        found = path.stat().st_size
    except FileNotFoundError:
        return "is missing"
    if found != size:
        return f"has {found} bytes of {size}"
    return _problem_of_parquet(path, deep=deep)


def _problem_of_parquet(path: Path, *, deep: bool = False) -> str | None:
    try:
        with pq.ParquetFile(path) as file:
            if deep:
                for batch in file.iter_batches():
                    batch.validate()
    except FileNotFoundError:
        return "is missing"
    except Exception:  # noqa: BLE001 - Arrow raises many kinds of errors for a damaged file
        return "is empty" if not path.stat().st_size else "is not a complete Parquet file"
    return None


def _take_back(log: LocalLog, damage: Damage, kept_in: Path, first_entry: Callable[[], bytes]) -> None:
    _keep(damage.path, kept_in)
    if damage.kind in ("hint", "checkpoint"):
        damage.path.unlink(missing_ok=True)
        return
    assert damage.version is not None
    entry = log.entry(damage.version)
    if damage.kind == "entry" and damage.version == 0:
        write_whole(entry, first_entry())
        return
    actions: list[Action] = []
    if damage.kind == "data":
        _keep(entry, kept_in)
        actions = [action for action in log.actions(damage.version) if set(action) & set(_KEPT)]
    note = {
        "timestamp": int(time.time() * 1000),
        "operation": "REPAIR",
        "operationParameters": {"reason": f"{damage.path.name} {damage.problem}"},
        "engineInfo": "inkstream",
    }
    kept = [action for action in actions if "commitInfo" not in action]
    write_whole(entry, "".join(json.dumps(action) + "\n" for action in [{"commitInfo": note}, *kept]).encode())


def _keep(path: Path, folder: Path) -> None:
    """Copy a damaged file, unless it is there already."""
    target = folder / path.parent.name / path.name
    if path.exists() and not target.exists():
        make_folder(target.parent)
        target.write_bytes(path.read_bytes())
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

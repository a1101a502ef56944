"""Copies of source files that the workers of one machine share during a run.

A long file is read in many ranges, by all workers. Each machine fetches it once: the first worker that needs it fetches
it, and the others wait. Each copy has a lock file. A worker that fetches or removes a copy holds an exclusive lock; a
worker that reads holds a shared one; a killed process loses its locks. A copy under its final name is complete, and so
is its JSON file.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from inkstream.tasks.model import FileVersion
from inkstream.tasks.stores.fetching import Fetched, copy_name, fetch, require_size
from inkstream.tasks.stores.scratch import SharedFolder, is_lock_of, lock_file

_IDLE_SECONDS = 600.0
_COMING = "coming"


@dataclass(frozen=True, slots=True)
class CopiesFolder:
    """Where a run keeps its copies, on each machine that has workers of the run.

    Attributes:
        name: Random name of the run's folder.
        max_mb: MiB that all copies on a machine may take; copies in use are kept even beyond that.
    """

    name: str
    max_mb: int


class Copies:
    """The copies of one run, as one process sees them.

    Args:
        folder: Where they are.
        parent: Where to create their folder; the system's temporary folder if not given.

    Raises:
        OSError: If the folder cannot be created.
    """

    def __init__(self, folder: CopiesFolder, parent: Path | None = None) -> None:
        self._folder = SharedFolder(folder.name, parent)
        self._max_bytes = folder.max_mb << 20
        self._counting = threading.Lock()
        self._held = 0
        self._last_held = time.monotonic()

    @property
    def idle_seconds(self) -> float:
        """Seconds since a copy was held."""
        return 0.0 if self._held else time.monotonic() - self._last_held

    @contextmanager
    def hold(self, file: FileVersion, max_bytes: int, content_hash: str | None = None) -> Iterator[Fetched]:
        """Yield a copy of exactly this version of the file, or of one with the same bytes, while the block runs.

        Args:
            file: The planned version.
            max_bytes: Largest allowed size of a file in bytes.
            content_hash: SHA-256 of the version's bytes, if another version with these bytes will do.

        Raises:
            DocumentError, SourceChangedError, TransientError: As `fetch` raises them.
            EnvironmentFault: If these credentials cannot read any file.
            OSError: If the folder is gone.
        """
        require_size(file, max_bytes)
        self._count(1)
        try:
            fetched, handle = self._lock(file, max_bytes, content_hash)
            try:
                yield fetched
            finally:
                os.close(handle)
        finally:
            self._count(-1)

    def close(self) -> None:
        """Leave the folder, and remove it if no other process uses it."""
        self._folder.close()

    def _count(self, change: int) -> None:
        with self._counting:
            self._held += change
            self._last_held = time.monotonic()

    def _lock(self, file: FileVersion, max_bytes: int, content_hash: str | None) -> tuple[Fetched, int]:
        path = self._folder.path / copy_name(file)
        lock = path.with_suffix(".lock")
        handle = lock_file(lock, fcntl.LOCK_SH)
        while True:
            try:
                if is_lock_of(handle, lock) and (fetched := _found(path)) is not None:
                    os.utime(handle)
                    return fetched, handle
            except BaseException:
                os.close(handle)
                raise
            os.close(handle)
            handle = self._fetch(file, path, max_bytes, content_hash)

    def _fetch(self, file: FileVersion, path: Path, max_bytes: int, content_hash: str | None) -> int:
        handle = lock_file(path.with_suffix(".lock"), fcntl.LOCK_EX)
        try:
            if _found(path) is None:
                self._make_room(file.size)
                _keep(fetch(file, path.parent / _COMING, max_bytes, content_hash), path)
            # Changing the lock is not atomic: another process may remove the copy in between, so `_lock` checks again.
            fcntl.flock(handle, fcntl.LOCK_SH)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _make_room(self, size: int) -> None:
        """Remove the least recently held copies that nobody holds, until the new one fits."""
        copies = [_Copy.of(lock) for lock in self._folder.path.glob("*.lock")]
        total = sum(copy.size for copy in copies)
        for copy in sorted(copies, key=lambda copy: copy.last_held):
            if total + size <= self._max_bytes:
                return
            if copy.remove():
                total -= copy.size


@dataclass(frozen=True, slots=True)
class _Copy:
    """The files of one copy, complete or not.

    Attributes:
        lock: Its lock file.
        size: Total size in bytes.
        last_held: When it was last held, in seconds since 1970.
    """

    lock: Path
    size: int
    last_held: float

    @classmethod
    def of(cls, lock: Path) -> _Copy:
        files = [path for path in (lock, *_files(lock)) if path.exists()]
        with suppress(FileNotFoundError):
            return cls(lock, sum(path.stat().st_size for path in files), lock.stat().st_mtime)
        return cls(lock, 0, 0.0)

    def remove(self) -> bool:
        """Remove the copy unless somebody holds it, and return whether it was removed."""
        try:
            handle = lock_file(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        for path in (*_files(self.lock), self.lock):
            path.unlink(missing_ok=True)
        os.close(handle)
        return True


def _files(lock: Path) -> tuple[Path, Path, Path]:
    """Return the copy, its JSON file and its partial download, in the order of removal."""
    return lock.with_suffix(""), lock.with_suffix(".json"), lock.parent / _COMING / lock.stem


def _found(path: Path) -> Fetched | None:
    if not path.exists():
        return None
    said = json.loads(path.with_suffix(".json").read_text())
    return Fetched(path, said["content_hash"], said["version_id"])


def _keep(fetched: Fetched, path: Path) -> None:
    said = {"content_hash": fetched.content_hash, "version_id": fetched.version_id}
    path.with_suffix(".json").write_text(json.dumps(said))
    fetched.local_path.replace(path)


_open: dict[str, Copies] = {}
_open_lock = threading.Lock()


def copies_of(folder: CopiesFolder) -> Copies:
    """Return a run's copies. Close those of runs that have been idle for `_IDLE_SECONDS`.

    Raises:
        OSError: If their folder cannot be created.
    """
    with _open_lock:
        if folder.name not in _open:
            for name in [name for name, copies in _open.items() if copies.idle_seconds > _IDLE_SECONDS]:
                _open.pop(name).close()
            _open[folder.name] = Copies(folder)
        return _open[folder.name]


def leave_copies(name: str) -> None:
    """Leave the copies of a finished run. The last process of the machine to do so removes them."""
    with _open_lock:
        copies = _open.pop(name, None)
    if copies is not None:
        copies.close()

"""Temporary folders that are removed soon after their processes end, even if those are killed.

A killed process cannot clean up, and leaves copies of people's documents. So each folder has a lock that its processes
hold while they live, and creating a folder first removes those whose lock nobody holds.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

_PREFIX = "inkstream-files-"


class SharedFolder:
    """A folder that processes of one machine and user share by its name. The last process to close it removes it.

    Args:
        name: A unique name.
        parent: Where to create the folder; the system's temporary folder if not given.

    Attributes:
        path: The folder.

    Raises:
        OSError: If the folder cannot be created, or belongs to somebody else.
    """

    def __init__(self, name: str, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        for left in parent.glob(f"{_PREFIX}*.lock"):
            _remove_if_left(left)
        self.path = parent / f"{_PREFIX}{name}"
        self._lock = parent / f"{_PREFIX}{name}.lock"
        self._handle: int | None = lock_file(self._lock, fcntl.LOCK_SH)
        self.path.mkdir(mode=0o700, exist_ok=True)
        there = self.path.lstat()
        if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.getuid() or there.st_mode & 0o077:
            os.close(self._handle)
            raise PermissionError(f"{self.path} belongs to another user, or other users can open it")
        atexit.register(self.close)

    def close(self) -> None:
        """Leave the folder, and remove it if no other process uses it."""
        atexit.unregister(self.close)
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        try:
            # A failed upgrade also drops the shared lock, so of several processes that leave, the last one succeeds.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(self._lock, handle)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)


def scratch_folder(parent: Path | None = None) -> Path:
    """Create a folder for this process, and remove those of processes that have ended.

    Args:
        parent: Where to create the folder; the system's temporary folder if not given.

    Raises:
        OSError: If the folder cannot be created.
    """
    return SharedFolder(uuid.uuid4().hex, parent).path


def lock_file(path: Path, how: int) -> int:
    """Open and lock a file, creating it if it does not exist.

    Args:
        path: The file.
        how: Flags for `fcntl.flock`.

    Returns:
        A file descriptor; closing it releases the lock.

    Raises:
        BlockingIOError: If somebody else holds the lock and `how` says not to wait.
        OSError: If the file cannot be opened.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(handle, how)
            if is_lock_of(handle, path):
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # another process removed the file before we locked it


def is_lock_of(handle: int, path: Path) -> bool:
    """Return whether the locked file is still the one at this path."""
    with suppress(FileNotFoundError):
        return os.fstat(handle).st_ino == path.stat().st_ino
    return False


def _remove_if_left(lock: Path) -> None:
    with suppress(OSError):
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(lock, handle)
        finally:
            os.close(handle)


def _remove(lock: Path, handle: int) -> None:
    if is_lock_of(handle, lock):
        shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
        lock.unlink(missing_ok=True)

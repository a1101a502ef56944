"""Temporary folders that do not outlive their processes for long, however these end.

A killed process cannot clean up, and what it leaves are copies of people's documents. So each folder has a lock that
its processes hold as long as they live; whoever makes the next folder removes those whose lock nobody holds.
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
    """A folder that processes of one machine and user share by its name. The last that closes it removes it.

    Args:
        name: No other folder's.
        parent: Where; the system's temporary folder when not given.

    Attributes:
        path: Where it is.

    Raises:
        OSError: If it cannot be made, or somebody else has made it.
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
            raise PermissionError(f"{self.path} is another user's, or open to others")
        atexit.register(self.close)

    def close(self) -> None:
        """Leaves the folder, and removes it if nobody else is there."""
        atexit.unregister(self.close)
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        try:
            # Our own lock goes first, whether or not the other can be had: of several who leave, the last has it.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(self._lock, handle)
        except BlockingIOError:
            pass
        finally:
            os.close(handle)


def scratch_folder(parent: Path | None = None) -> Path:
    """Makes a folder for this process and removes those of processes that are no more.

    Args:
        parent: Where; the system's temporary folder when not given.

    Raises:
        OSError: If it cannot be made.
    """
    return SharedFolder(uuid.uuid4().hex, parent).path


def lock_file(path: Path, how: int) -> int:
    """Opens and locks a file, which is made if need be.

    Args:
        path: The file.
        how: As `fcntl.flock` takes it.

    Returns:
        A handle; closing it ends the lock.

    Raises:
        BlockingIOError: If somebody else holds it and `how` says not to wait.
        OSError: If it cannot be opened.
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
        os.close(handle)  # removed by another, between our opening and our locking


def is_lock_of(handle: int, path: Path) -> bool:
    """Tells whether the locked file is still the one of this name."""
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

"""A process's own temporary folder, which does not outlive it for long, however it ends.

A killed process cannot clean up, and what it leaves are copies of people's documents. So each folder has a lock that
its process holds as long as it lives; whoever makes the next folder removes those whose lock nobody holds.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path

_PREFIX = "inkstream-files-"


def scratch_folder(parent: Path | None = None) -> Path:
    """Makes a folder for this process and removes those of processes that are no more.

    Args:
        parent: Where; the system's temporary folder when not given.

    Raises:
        OSError: If it cannot be made.
    """
    parent = parent or Path(tempfile.gettempdir())
    for lock in parent.glob(f"{_PREFIX}*.lock"):
        _remove_if_left(lock)
    while (handle := _locked(lock := parent / f"{_PREFIX}{uuid.uuid4().hex}.lock", os.O_CREAT | os.O_EXCL)) is None:
        continue  # somebody took it for a leftover in the moment between its making and its locking
    folder = lock.with_suffix("")
    folder.mkdir(mode=0o700)

    def clean_up() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink(missing_ok=True)
        os.close(handle)

    atexit.register(clean_up)
    return folder


def _remove_if_left(lock: Path) -> None:
    handle = _locked(lock)
    if handle is None:
        return
    shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
    lock.unlink(missing_ok=True)
    os.close(handle)


def _locked(lock: Path, flags: int = 0) -> int | None:
    """Opens and locks a file; None if another process holds it, removed it, or owns it."""
    handle = None
    with suppress(OSError):
        handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC | flags, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_ino == lock.stat().st_ino:
            return handle
    if handle is not None:
        os.close(handle)
    return None

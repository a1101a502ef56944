"""Writes local files completely or not at all, so that they survive a power cut.

A file system may keep what was written in memory for half a minute, and may bring a file back with its name and without
its bytes. `fsync` of a file makes its bytes durable, and `fsync` of its folder its name.
"""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterable
from pathlib import Path

_NO_FOLDERS = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)
"""What file systems answer that cannot sync a folder, and need not."""


def write_whole(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file under a hidden name and rename it: a reader sees the old file or the new one, never a part.

    A pipe or a device is written to directly. Missing folders are created.

    Args:
        path: The file.
        data: Its content.
        durable: Whether to return only when the file survives a power cut.

    Raises:
        OSError: If the file cannot be written.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    make_folder(path.parent, durable=durable)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}.partial")
    try:
        partial.write_bytes(data)
        if durable:
            sync_file(partial)
        partial.replace(path)
        if durable:
            sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def make_folder(path: Path, *, durable: bool = True) -> None:
    """Make a folder, and those above it that are missing.

    Raises:
        OSError: If it cannot be made.
    """
    missing = []
    for folder in (path, *path.parents):
        if folder.exists():
            break
        missing.append(folder)
    path.mkdir(parents=True, exist_ok=True)
    if durable:
        sync_names(reversed(missing))


def sync_names(paths: Iterable[Path]) -> None:
    """Make the names of files or folders durable: sync each folder that they are in once.

    Raises:
        OSError: If the disk did not take them.
    """
    for folder in dict.fromkeys(path.parent for path in paths):
        sync_folder(folder)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable, on file systems that need it. Raises as `sync_file` does."""
    try:
        sync_file(path)
    except OSError as error:
        if error.errno not in _NO_FOLDERS:
            raise


def sync_file(path: Path) -> None:
    """Make a file's bytes durable.

    Raises:
        OSError: If the disk did not take them. A second attempt proves nothing: it may succeed although they are lost.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Local folders, read through the operating system without fsspec."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from inkstream.ocr_core.errors import SourceChangedError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import encode
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.stores.base import CHUNK, EPOCH, State, Store, is_a_file
from inkstream.tasks.stores.file_filter import FileFilter
from inkstream.tasks.stores.local_removal import LocalRemoval
from inkstream.tasks.stores.local_state import state_of
from inkstream.tasks.whole_files import write_whole

_OF_THIS_PROCESS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
_SYSTEM_FOLDERS = ("lost+found", "System Volume Information", "$RECYCLE.BIN")
"""Folders at the root of a file system that hold nobody's documents, and that most users cannot list."""


class LocalStore(Store):
    """The folders of this machine. A path is the local path itself; names may be any bytes.

    It has the abilities `VersionLookup` and `ConditionalRemoval` of `inkstream.tasks.stores.abilities`.
    """

    def __init__(self) -> None:
        super().__init__("file", None, "", "/")

    def native(self, path: str) -> str:
        """Return the path unchanged: a local path has no authority."""
        return path

    def path(self, native: str) -> str:
        """Return the path unchanged: a local path has no authority."""
        return native

    def versions(self, root: str, wanted: FileFilter, skipped: Skipped) -> Iterator[FileVersion]:
        """Yield a folder's files. Symbolic links to folders are followed, except to a folder above the link.

        A file or subfolder that cannot be looked at is counted in `skipped`, and the rest is listed.

        Raises:
            ConfigError: If `root` is a file.
            OSError: If `root` cannot be listed, or this process lacks memory or file handles.
        """
        waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [(root, frozenset())]
        while waiting:
            folder, above = waiting.pop()
            try:
                here, entries = _entries(folder, above)
            except OSError as error:
                if not above:
                    raise _not_listed(root, error) from None
                _count_unreadable(folder, error, skipped, is_folder=True)
                continue
            for entry in entries:
                try:
                    found = _look_at(entry, wanted)
                except OSError as error:
                    _count_unreadable(entry.path, error, skipped, is_folder=False)
                    continue
                if isinstance(found, SkipReason):
                    skipped.add(found, entry.path)
                elif isinstance(found, FileVersion):
                    yield found
                elif found is not None:
                    waiting.append((found.path, above | {here}))

    def look_up(self, paths: Sequence[str]) -> list[FileVersion | None]:
        """Return the current version of each file; None for one that does not exist."""
        return [_current(path) for path in paths]

    def was_deleted(self, path: str) -> bool:  # noqa: ARG002 - folders keep no such record
        """Return False: a folder has no record of deleted files."""
        return False

    def removal(self, root: str, probe_folder: str) -> LocalRemoval:  # noqa: ARG002 - no probe is needed
        """Return the removal for the files in a folder."""
        return LocalRemoval(root)

    def state(self, path: str) -> State:
        """Return the state of one file.

        Raises:
            SourceChangedError: If it is not a regular file.
        """
        return state_of(path, os.stat(path))  # noqa: PTH116 - names may be any bytes

    def read(self, path: str, require: Callable[[State], None], write: Callable[[bytes], object]) -> None:
        """Read through one file descriptor, checking its state before and after."""
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb", buffering=0) as opened:
            require(state_of(path, os.fstat(opened.fileno())))
            while chunk := opened.read(CHUNK):
                write(chunk)
            require(state_of(path, os.fstat(opened.fileno())))

    def write(self, path: str, data: bytes, *, durable: bool = True) -> None:
        """Write a file completely or not at all: readers see the old one or the new one."""
        write_whole(Path(path), data, durable=durable)

    def fetch(self, path: str) -> bytes:
        """Return the content of a file."""
        return Path(path).read_bytes()

    def names(self, root: str) -> list[str]:
        """Return the paths of all files under a folder; empty if the folder does not exist."""
        return [str(path) for path in Path(root).rglob("*") if path.is_file()]


def _entries(folder: str, above: frozenset[tuple[int, int]]) -> tuple[tuple[int, int], list[os.DirEntry[str]]]:
    """Return the identity of a folder and its entries; no entries if it is one of those above it."""
    state = os.stat(folder)  # noqa: PTH116 - names may be any bytes
    here = (state.st_dev, state.st_ino)
    if here in above:
        return here, []
    with os.scandir(folder) as scan:
        return here, list(scan)


def _look_at(entry: os.DirEntry[str], wanted: FileFilter) -> FileVersion | SkipReason | os.DirEntry[str] | None:
    """Return a document's version, a folder's entry to enter it, or why neither is read; None if it is gone.

    Raises:
        OSError: If the file system does not tell.
    """
    if _is_folder(entry):
        return wanted.folder_reason(entry.name) or entry
    return wanted.reason(entry.name) or _version(entry)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself
            return False
        raise


def _version(entry: os.DirEntry[str]) -> FileVersion | SkipReason | None:
    try:
        if not entry.is_file():
            return SkipReason.SPECIAL  # a pipe, socket, device or broken link
        result = entry.stat()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return SkipReason.SPECIAL
        if error.errno == errno.ENOENT:
            return None  # removed after the folder was listed
        raise
    return _version_of(entry.path, result)


def _not_listed(root: str, error: OSError) -> Exception:
    if isinstance(error, NotADirectoryError):
        return is_a_file(root)
    return error


def _count_unreadable(path: str, error: OSError, skipped: Skipped, *, is_folder: bool) -> None:
    """Count what cannot be looked at, unless it is gone.

    Raises:
        OSError: If the fault is this process's.
    """
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return  # removed after its parent was listed
    if error.errno in _OF_THIS_PROCESS:
        raise error
    reason = SkipReason.UNREADABLE_FOLDER if is_folder else SkipReason.UNREADABLE
    if is_folder and path.rpartition("/")[2] in _SYSTEM_FOLDERS:
        reason = SkipReason.SYSTEM_FOLDER
    skipped.add(reason, path, (error.strerror or type(error).__name__).lower())


def _current(path: str) -> FileVersion | None:
    try:
        return _version_of(path, os.stat(path))  # noqa: PTH116 - names may be any bytes
    except SourceChangedError:
        return None  # a pipe, socket, device or folder
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            return None
        raise


def _version_of(path: str, result: os.stat_result) -> FileVersion:
    state = state_of(path, result)
    modified = _moment(result.st_mtime_ns)
    changed = None
    if result.st_mtime_ns > time.time_ns():  # such as from a scanner whose clock is fast
        changed = _moment(result.st_ctime_ns)
    return FileVersion(encode("file", path), state.etag, state.size, modified, changed)


def _moment(nanoseconds: int) -> datetime:
    try:
        return EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return EPOCH

"""Local folders, read through the operating system without fsspec."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from inkstream.ocr_core.errors import ConfigError, SourceChangedError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import encode
from inkstream.tasks.stores.base import CHUNK, EPOCH, FileFilter, State, Store
from inkstream.tasks.stores.local_removal import LocalRemoval
from inkstream.tasks.stores.local_state import state_of
from inkstream.tasks.whole_files import write_whole


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

    def versions(self, root: str, wanted: FileFilter) -> Iterator[FileVersion]:
        """Yield a folder's files. Symbolic links to folders are followed, except to a folder above the link.

        Raises:
            ConfigError: If `root` is a file.
            OSError: If a folder cannot be listed.
        """
        waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [(root, frozenset())]
        while waiting:
            folder, above = waiting.pop()
            try:
                state = os.stat(folder)  # noqa: PTH116 - names may be any bytes
                here = (state.st_dev, state.st_ino)
                entries = [] if here in above else _entries(folder)
            except NotADirectoryError:
                if above:
                    continue
                raise ConfigError(
                    f"{root} is a file; set source.url to its folder and source.glob to its name"
                ) from None
            except FileNotFoundError:
                if above:
                    continue  # removed after its parent was listed
                raise
            for entry in entries:
                if _is_folder(entry):
                    if wanted.is_entered(entry.name):
                        waiting.append((entry.path, above | {here}))
                elif wanted.is_wanted(entry.name):
                    file = _version(entry)
                    if file is not None:
                        yield file

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

    def write(self, path: str, data: bytes) -> None:
        """Write a file completely or not at all: readers see the old one or the new one."""
        write_whole(Path(path), data)

    def fetch(self, path: str) -> bytes:
        """Return the content of a file."""
        return Path(path).read_bytes()

    def names(self, root: str) -> list[str]:
        """Return the paths of all files under a folder; empty if the folder does not exist."""
        return [str(path) for path in Path(root).rglob("*") if path.is_file()]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scan:
        return list(scan)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself
            return False
        raise


def _version(entry: os.DirEntry[str]) -> FileVersion | None:
    try:
        if not entry.is_file():
            return None  # a pipe, socket, device or broken link
        result = entry.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None  # removed after the folder was listed
        raise
    return _version_of(entry.path, result)


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
    try:
        modified: datetime = EPOCH + timedelta(microseconds=result.st_mtime_ns // 1000)
    except OverflowError:
        modified = EPOCH
    state = state_of(path, result)
    return FileVersion(encode("file", path), state.etag, state.size, modified)

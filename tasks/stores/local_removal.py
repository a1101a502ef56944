"""Removing files from a local folder: only the version that was read, even while others write there.

A file system has no conditional delete. So a file is first renamed, in one step, into a hidden folder of the source,
where nobody overwrites it; there it is checked, and then removed or archived. If it turns out to be another version, it
is put back. A process that is killed in between leaves the file in the hidden folder, and `put_back_all` restores it.
"""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from inkstream.ocr_core.errors import SourceChangedError
from inkstream.tasks.stores.base import State
from inkstream.tasks.stores.local_state import state_of

ASIDE = ".inkstream-aside"
"""Folder of the source for files that are being removed. It is hidden, so nothing in it is taken for a document."""

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class LocalRemoval:
    """Removes files from one folder. See `inkstream.tasks.stores.abilities.VersionRemoval`.

    Args:
        root: The folder. Files that killed runs left aside in it are put back first.
    """

    at_once = 1

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        with suppress(OSError):
            put_back_all(self._root)

    def remove(self, path: str, state: State) -> None:
        """Remove one version of a file.

        Raises:
            SourceChangedError: If the file is another version by now, or gone.
            OSError: If it cannot be removed.
        """
        with _aside(self._root, self._relative(path), state) as aside:
            aside.unlink()

    def archive(self, path: str, state: State, targets: tuple[str, ...]) -> None:
        """Move one version of a file to the first target that is free, on any file system.

        Raises:
            SourceChangedError: If the file is another version by now, or gone.
            FileExistsError: If every target is another file.
            OSError: If it cannot be moved.
        """
        with _aside(self._root, self._relative(path), state) as aside:
            Path(targets[0]).parent.mkdir(parents=True, exist_ok=True)
            for target in map(Path, targets):
                try:
                    _move(aside, target)
                except FileExistsError:
                    if filecmp.cmp(aside, target, shallow=False):  # archived by a run that was killed before it ended
                        aside.unlink()
                        return
                else:
                    return
            raise FileExistsError(f"{targets[-1]} is another file")

    def _relative(self, path: str) -> Path:
        return Path(path).relative_to(self._root)


def put_back_all(root: Path) -> None:
    """Put back the files that killed runs left aside, unless a newer file has taken their place."""
    for folder in (root / ASIDE).glob("*"):
        for file in [path for path in folder.rglob("*") if not path.is_dir()]:
            with suppress(OSError):  # such as a file that another run is working on
                _place(file, root / file.relative_to(folder))
        _remove_empty(folder)


@contextmanager
def _aside(root: Path, relative: Path, state: State) -> Iterator[Path]:
    folder = root / ASIDE / uuid.uuid4().hex
    aside = folder / relative
    try:
        aside.parent.mkdir(parents=True)
        _take(root / relative, aside, state)
        yield aside
    finally:
        with suppress(OSError):  # it stays aside, and the next run puts it back
            _place(aside, root / relative)
        _remove_empty(folder)


def _take(path: Path, aside: Path, state: State) -> None:
    try:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "a symbolic link is left where it is", str(path))
        _require(path, state)  # before it is moved, so that a file that is still being written stays where it is
        path.rename(aside)
        _require(aside, state)
    except FileNotFoundError:
        raise SourceChangedError(f"{path}: it is gone") from None


def _require(path: Path, state: State) -> None:
    if state_of(str(path), path.lstat()) != state:
        raise SourceChangedError(f"{path}: it was overwritten")


def _move(source: Path, target: Path) -> None:
    """Move a file. On another file system the copy is flushed and compared before the original is removed."""
    try:
        _place(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = target.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            shutil.copy2(source, partial)
            _flush(partial)
            if not filecmp.cmp(source, partial, shallow=False):
                raise OSError(errno.EIO, "the copy differs", str(partial)) from None
            _place(partial, target)
        finally:
            partial.unlink(missing_ok=True)
        _flush(target.parent)
        source.unlink()
    else:
        _flush(target.parent)


def _place(source: Path, target: Path) -> None:
    """Rename a file within a file system, but never over another one.

    Raises:
        FileExistsError: If a file of that name exists.
    """
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        source.rename(target)
    else:
        source.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_empty(folder: Path) -> None:
    for below, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            Path(below).rmdir()
    with suppress(OSError):
        folder.parent.rmdir()

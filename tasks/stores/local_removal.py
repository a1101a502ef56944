"""Removing from a local folder only the version of a file that was read, even while others write there.

A file system has no conditional delete. So a file is first renamed, atomically, into a hidden folder of the source,
where nobody overwrites it. There it is checked, and then removed or archived. If it turns out to be another version, it
is put back. If the process is killed in between, the file stays in the hidden folder, and `put_back_all` restores it.
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
from inkstream.tasks.whole_files import make_folder, sync_file, sync_folder

ASIDE = ".inkstream-aside"
"""Folder of the source for files that are being removed. It is hidden, so nothing in it is read as a document."""

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


class LocalRemoval:
    """Removes files from one folder. See `inkstream.tasks.stores.abilities.VersionRemoval`.

    Args:
        root: The folder. Files that killed runs left in its `ASIDE` folder are put back first.
    """

    at_once = 1

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        with suppress(OSError):
            put_back_all(self._root)

    def remove(self, path: str, state: State) -> None:
        """Remove one version of a file.

        Raises:
            SourceChangedError: If the file now has another version, or is gone.
            OSError: If the file cannot be removed.
        """
        with _aside(self._root, self._relative(path), state) as aside:
            aside.unlink()

    def archive(self, path: str, state: State, targets: tuple[str, ...]) -> None:
        """Move one version of a file to the first free target, on any file system.

        Raises:
            SourceChangedError: If the file now has another version, or is gone.
            FileExistsError: If a different file exists at every target.
            OSError: If the file cannot be moved.
        """
        with _aside(self._root, self._relative(path), state) as aside:
            make_folder(Path(targets[0]).parent)
            for target in map(Path, targets):
                try:
                    _move(aside, target)
                except FileExistsError:
                    if filecmp.cmp(aside, target, shallow=False):  # archived by a killed run
                        aside.unlink()
                        return
                else:
                    return
            raise FileExistsError(f"a different file exists at {targets[-1]}")

    def _relative(self, path: str) -> Path:
        return Path(path).relative_to(self._root)


def put_back_all(root: Path) -> None:
    """Put back the files that killed runs left in the `ASIDE` folder, unless a newer file has taken their place."""
    for folder in (root / ASIDE).glob("*"):
        for file in [path for path in folder.rglob("*") if not path.is_dir()]:
            with suppress(OSError):  # such as a file that another run is removing
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
        with suppress(OSError):  # the next run puts the file back
            _place(aside, root / relative)
        _remove_empty(folder)


def _take(path: Path, aside: Path, state: State) -> None:
    try:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "a symbolic link is left where it is", str(path))
        _require(path, state)  # before the move, so that a file still being written stays
        path.rename(aside)
        _require(aside, state)
    except FileNotFoundError:
        raise SourceChangedError(f"{path}: it is gone") from None


def _require(path: Path, state: State) -> None:
    if state_of(str(path), path.lstat()) != state:
        raise SourceChangedError(f"{path}: it was overwritten")


def _move(source: Path, target: Path) -> None:
    """Move a file. To another file system, copy it, flush and compare the copy, then remove the source."""
    try:
        _place(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        partial = target.with_name(f".{uuid.uuid4().hex}.partial")
        try:
            shutil.copy2(source, partial)
            sync_file(partial)
            if not filecmp.cmp(source, partial, shallow=False):
                raise OSError(errno.EIO, "the copy differs", str(partial)) from None
            _place(partial, target)
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(target.parent)
        source.unlink()
    else:
        sync_folder(target.parent)


def _place(source: Path, target: Path) -> None:
    """Rename a file within a file system, never over another file.

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


def _remove_empty(folder: Path) -> None:
    for below, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            Path(below).rmdir()
    with suppress(OSError):
        folder.parent.rmdir()

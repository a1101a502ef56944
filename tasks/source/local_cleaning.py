"""Taking files out of a local folder: only the very version that was read, whoever writes there meanwhile.

Nothing can be removed on a condition. So a file is first moved aside, in one step, into a hidden folder of the source;
what is there nobody overwrites, and it is looked at before it is removed or archived. If it is another version after
all, it is put back. Whoever is killed in between leaves it aside, and `put_back_all` puts it back.
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
from inkstream.tasks.stores.local import state_of

ASIDE = ".inkstream-aside"
"""Folder of the source for files that are being removed. Its name is hidden, so nothing in it is a document."""

_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)


def remove(root: Path, relative: Path, state: State) -> None:
    """Removes one version of a file.

    Raises:
        SourceChangedError: If another version is there, or none.
        OSError: If it cannot be removed.
    """
    with _aside(root, relative, state) as aside:
        aside.unlink()


def archive(root: Path, relative: Path, state: State, targets: tuple[Path, ...]) -> None:
    """Moves one version of a file to the first of the targets that is free, on whatever file system that is.

    Raises:
        SourceChangedError: If another version is there, or none.
        FileExistsError: If each target is another file.
        OSError: If it cannot be moved.
    """
    with _aside(root, relative, state) as aside:
        targets[0].parent.mkdir(parents=True, exist_ok=True)
        for target in targets:
            try:
                _move(aside, target)
            except FileExistsError:
                if filecmp.cmp(aside, target, shallow=False):  # a run was killed after it had archived it
                    aside.unlink()
                    return
            else:
                return
        raise FileExistsError(f"{targets[-1]} is another file")


def put_back_all(root: Path) -> None:
    """Puts back what killed runs left aside, unless a newer file has taken its place."""
    for folder in (root / ASIDE).glob("*"):
        for file in [path for path in folder.rglob("*") if not path.is_dir()]:
            with suppress(OSError):  # also where another run is just at work on it
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
        with suppress(OSError):  # then it stays aside, and the next run tries
            _place(aside, root / relative)
        _remove_empty(folder)


def _take(path: Path, aside: Path, state: State) -> None:
    try:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "a symbolic link is left where it is", str(path))
        _require(path, state)  # before it is moved: so one that is still being written is not disturbed
        path.rename(aside)
        _require(aside, state)
    except FileNotFoundError:
        raise SourceChangedError(f"{path}: it is gone") from None


def _require(path: Path, state: State) -> None:
    if state_of(str(path), path.lstat()) != state:
        raise SourceChangedError(f"{path}: it was overwritten")


def _move(source: Path, target: Path) -> None:
    """Moves a file; on another file system a copy is written, flushed and compared before the source is removed."""
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
    """Renames a file within a file system, but never over another.

    Raises:
        FileExistsError: If there is a file of that name.
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

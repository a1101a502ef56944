"""Reading exactly the planned version: a private copy whose bytes are proved to be it."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from inkstream.ocr_core.errors import DocumentError, EnvironmentFault, FailureKind, SourceChangedError, TransientError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import decode
from inkstream.tasks.stores import State, credentials_remedy, is_credential_fault, is_forbidden, is_gone, open_store

_CHUNK = 1 << 20
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """A private copy of one file version.

    Attributes:
        local_path: Where the copy is.
        content_hash: SHA-256 of its bytes, hex.
        version_id: The object's version id, where the store has one.
    """

    local_path: Path
    content_hash: str
    version_id: str | None


def fetch(file: FileVersion, folder: Path, max_bytes: int) -> Fetched:
    """Makes a local copy of exactly this version of the file.

    Args:
        file: The version that was planned.
        folder: Where; made if it is not there. A copy of the same version that is there is made anew.
        max_bytes: Bytes a file may have.

    Raises:
        DocumentError: If the file is too large (`limit`), or may never be read (`unreadable`).
        SourceChangedError: If it is no longer the planned version.
        TransientError: If it, or the disk for the copy, could not be used just now.
        EnvironmentFault: If no file could be read with these credentials.
    """
    require_size(file, max_bytes)
    return _copy_with_retries(file, folder / copy_name(file))


def require_size(file: FileVersion, max_bytes: int) -> None:
    """Refuses a file that is too large.

    Raises:
        DocumentError: If it is (`limit`).
    """
    if file.size > max_bytes:
        raise DocumentError(FailureKind.LIMIT, f"the file has {file.size} bytes; {max_bytes} are allowed")


def copy_name(file: FileVersion) -> str:
    """Returns what a copy of this version is called: 32 hex digits, the same in every process."""
    return hashlib.sha256(repr(file.key).encode()).hexdigest()[:32]


def _copy_with_retries(file: FileVersion, target: Path) -> Fetched:
    for attempt in range(_ATTEMPTS):
        try:
            return _copy(file, target)
        except SourceChangedError:
            raise
        except TransientError:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.5, 1.0) * 0.2 * 3**attempt)  # noqa: S311 - jitter
    raise AssertionError  # pragma: no cover - the loop returns or raises


def _copy(file: FileVersion, target: Path) -> Fetched:
    try:
        with _disk_errors(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            sink = target.open("wb")
        with sink:
            copy = _CopyWriter(sink, target.parent)
            version_id = _read_into(copy, file)
        copy.require_length(file)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Fetched(target, copy.hash.hexdigest(), version_id)


class _CopyWriter:
    """The copy as it is written: counts and hashes what passes."""

    def __init__(self, sink: IO[bytes], folder: Path) -> None:
        self._sink = sink
        self._folder = folder
        self.hash = hashlib.sha256()
        self.length = 0

    def write(self, chunk: bytes) -> None:
        self.hash.update(chunk)
        self.length += len(chunk)
        with _disk_errors(self._folder):
            self._sink.write(chunk)

    def require_length(self, file: FileVersion) -> None:
        if self.length != file.size:
            raise TransientError(f"{file.path}: the store sent {self.length} of {file.size} bytes")


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransientError(f"could not keep a copy in {folder}: {error}") from error


def _read_into(copy: _CopyWriter, file: FileVersion) -> str | None:
    protocol, path = decode(file.path)

    def require(state: State) -> None:
        if (state.etag, state.size) != (file.etag, file.size):
            raise SourceChangedError(f"{file.path}: it was overwritten (planned {file.etag}, found {state.etag})")

    try:
        return open_store(protocol, path).read(path, require, copy.write)
    except (DocumentError, TransientError, EnvironmentFault):
        raise
    except Exception as error:
        raise _explain(file, protocol, error) from error


def _explain(file: FileVersion, protocol: str, error: Exception) -> Exception:
    """Says whose fault it is that a file could not be read."""
    if is_credential_fault(error):
        remedy = f"on this worker, {credentials_remedy(protocol)}"
        return EnvironmentFault(f"{file.path}: {error}", remedy)
    if is_gone(error):
        return SourceChangedError(f"{file.path}: it is gone")
    if is_forbidden(error):
        return DocumentError(FailureKind.UNREADABLE, f"may not be read: {error}")
    return TransientError(f"{file.path}: could not be read just now: {type(error).__name__}: {error}")

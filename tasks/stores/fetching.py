"""Fetching a local copy whose bytes are verified to be the planned version of a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from inkstream.ocr_core.errors import DocumentError, EnvironmentFault, FailureKind, SourceChangedError, TransientError
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import decode
from inkstream.tasks.retries import is_transient, retrying
from inkstream.tasks.stores import State, credentials_remedy, is_credential_fault, is_forbidden, is_gone, open_store

_CHUNK = 1 << 20
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Fetched:
    """A private copy of one file version.

    Attributes:
        local_path: Where the copy is.
        content_hash: SHA-256 of its bytes, hex.
        version_id: The object's version id; None if the store has none.
    """

    local_path: Path
    content_hash: str
    version_id: str | None


def fetch(file: FileVersion, folder: Path, max_bytes: int, content_hash: str | None = None) -> Fetched:
    """Make a local copy of exactly this version of the file, or of one with the same bytes.

    Args:
        file: The planned version.
        folder: Folder of the copy; created if missing. An existing copy of the same version is replaced.
        max_bytes: Largest allowed size of a file in bytes.
        content_hash: SHA-256 of the version's bytes, if another version with these bytes will do.

    Raises:
        DocumentError: If the file is too large (`limit`), or a bucket denies access to it (`unreadable`).
        SourceChangedError: If the file no longer has the planned version.
        TransientError: If the store or the local disk failed in a way that may pass, or this user may not read a local
            file.
        EnvironmentFault: If these credentials cannot read any file.
    """
    require_size(file, max_bytes)
    copying = retrying(attempts=_ATTEMPTS, first=0.2, longest=2.0, factor=3.0, is_worth_it=_may_be_read_later)
    copy: Fetched = copying(_copy, file, folder / copy_name(file), content_hash)
    return copy


def _may_be_read_later(error: BaseException) -> bool:
    """Return whether reading again may help within seconds; permissions are only mended by people."""
    if isinstance(error, SourceChangedError) or isinstance(error.__cause__, PermissionError):
        return False
    return is_transient(error)


def require_size(file: FileVersion, max_bytes: int) -> None:
    """Check the size of a file.

    Raises:
        DocumentError: If the file is too large (`limit`).
    """
    if file.size > max_bytes:
        raise DocumentError(FailureKind.LIMIT, f"the file has {file.size} bytes; {max_bytes} are allowed")


def copy_name(file: FileVersion) -> str:
    """Return the name for a copy of this version: 32 hex digits, the same in every process."""
    return hashlib.sha256(repr(file.key).encode()).hexdigest()[:32]


def _copy(file: FileVersion, target: Path, content_hash: str | None) -> Fetched:
    try:
        with _disk_errors(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            sink = target.open("wb")
        with sink:
            copy = _CopyWriter(sink, target.parent)
            version_id, is_planned = _read_into(copy, file, other_versions=content_hash is not None)
        copy.require_length(file)
        if not is_planned:
            copy.require_content(file, content_hash)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Fetched(target, copy.hash.hexdigest(), version_id)


class _CopyWriter:
    """A copy that is being written; counts and hashes its bytes."""

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

    def require_content(self, file: FileVersion, content_hash: str | None) -> None:
        if self.hash.hexdigest() != content_hash:
            raise SourceChangedError(f"{file.path}: it was overwritten with other content")


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TransientError(f"cannot write a copy to {folder}: {error}") from error


def _read_into(copy: _CopyWriter, file: FileVersion, *, other_versions: bool) -> tuple[str | None, bool]:
    """Copy a file; return the object's version id, and whether it has the planned version."""
    protocol, path = decode(file.path)
    is_planned = True

    def require(state: State) -> None:
        nonlocal is_planned
        is_planned = is_planned and state.etag == file.etag
        if state.size != file.size or not (is_planned or other_versions):
            raise SourceChangedError(f"{file.path}: it was overwritten (planned {file.etag}, found {state.etag})")

    try:
        return open_store(protocol, path).read(path, require, copy.write), is_planned
    except (DocumentError, TransientError, EnvironmentFault):
        raise
    except Exception as error:
        raise _explain(file, protocol, error) from error


def _explain(file: FileVersion, protocol: str, error: Exception) -> Exception:
    """Classify a read error as the document's, the environment's or a transient fault."""
    if is_credential_fault(error):
        remedy = f"on this worker, {credentials_remedy(protocol)}"
        return EnvironmentFault(f"{file.path}: {error}", remedy)
    if is_gone(error):
        return SourceChangedError(f"{file.path}: it is gone")
    if protocol == "file" and isinstance(error, PermissionError):
        return TransientError(f"{file.path}: it cannot be read: permission denied; give this user read access")
    if is_forbidden(error):
        return DocumentError(FailureKind.UNREADABLE, f"access denied: {error}")
    return TransientError(f"{file.path}: cannot be read at the moment: {type(error).__name__}: {error}")

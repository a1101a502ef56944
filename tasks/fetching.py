"""Reading exactly the planned version: a private copy whose bytes are proved to be it."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ocr_core.errors import DocumentError, EnvironmentFault, FailureKind, SourceChangedError, TransientError
from tasks.model import FileKey, FileVersion
from tasks.paths import decode
from tasks.stores import State, credentials_remedy, is_credential_fault, is_forbidden, is_gone, open_store

_CHUNK = 1 << 20
_ATTEMPTS = 3
_CACHE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Fetched:
    """A private copy of one file version.

    Attributes:
        local_path: Where the copy is. It stays until the same thread fetches another file.
        content_hash: SHA-256 of its bytes, hex.
        version_id: The object's version id, where the store has one.
    """

    local_path: Path
    content_hash: str
    version_id: str | None


def fetch(file: FileVersion, cache_dir: Path, max_bytes: int, *, budget_bytes: int = _CACHE_BYTES) -> Fetched:
    """Gives a local copy of exactly this version of the file, reading it only if no copy is left from before.

    Args:
        file: The version that was planned.
        cache_dir: Where copies are kept; one for the process.
        max_bytes: Bytes a file may have.
        budget_bytes: Bytes the copies may take together; what each thread fetched last is kept anyway.

    Raises:
        DocumentError: If the file is too large (`limit`), or may never be read (`unreadable`).
        SourceChangedError: If it is no longer the planned version.
        TransientError: If it, or the disk for the copy, could not be used just now.
        EnvironmentFault: If no file could be read with these credentials.
    """
    if file.size > max_bytes:
        raise DocumentError(FailureKind.LIMIT, f"the file has {file.size} bytes; {max_bytes} are allowed")
    with _CACHES_LOCK:
        cache = _CACHES.setdefault(cache_dir, _Cache(cache_dir))
    return cache.get(file, budget_bytes)


class _Cache:
    """Copies by file version, least recently used first; each thread's latest one is pinned."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._copies: OrderedDict[FileKey, Fetched] = OrderedDict()
        self._busy: dict[FileKey, threading.Lock] = {}
        self._pinned: dict[int, FileKey] = {}

    def get(self, file: FileVersion, budget: int) -> Fetched:
        with self._lock:
            self._pinned[threading.get_ident()] = file.key
            turn = self._busy.setdefault(file.key, threading.Lock())
        with turn:
            with self._lock:
                fetched = self._copies.get(file.key)
            if fetched is None or not fetched.local_path.exists():
                with self._lock:
                    self._evict(budget - file.size)  # room first: on a full disk no copy would ever be made
                fetched = _copy_with_retries(file, self._target(file))
            with self._lock:
                self._copies[file.key] = fetched
                self._copies.move_to_end(file.key)
                self._evict(budget)
        return fetched

    def _target(self, file: FileVersion) -> Path:
        digest = hashlib.sha256(repr(file.key).encode()).hexdigest()[:32]
        return self._folder / f"{os.getpid()}-{digest}"

    def _evict(self, budget: int) -> None:
        alive = {thread.ident for thread in threading.enumerate()}
        self._pinned = {ident: key for ident, key in self._pinned.items() if ident in alive}
        pinned = set(self._pinned.values())
        total = sum(size for _, _, size in self._copies)
        for key in list(self._copies):
            if total <= budget:
                return
            if key not in pinned:
                total -= key[2]
                self._copies.pop(key).local_path.unlink(missing_ok=True)
                self._busy.pop(key, None)


_CACHES: dict[Path, _Cache] = {}
_CACHES_LOCK = threading.Lock()


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
    partial = target.with_name(f"{target.name}.{threading.get_ident()}.partial")
    try:
        with _disk_errors(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            sink = partial.open("wb")
        with sink:
            copy = _Copy(sink, target.parent)
            version_id = _read_into(copy, file)
        copy.require_length(file)
        with _disk_errors(target.parent):
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return Fetched(target, copy.hash.hexdigest(), version_id)


class _Copy:
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


def _read_into(copy: _Copy, file: FileVersion) -> str | None:
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

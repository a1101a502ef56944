"""Finds out whether a sink's place can be written, and whether it lets only one of two writers create an object.

A Delta commit is the creation of one log file, so a store that lets a second writer create it again loses commits
without a sound. Stores that speak S3 differ in whether they honour `If-None-Match: *` on a PUT, and nothing but trying
tells; the others have one way to do it, which the Delta library uses.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from inkstream.ocr_core.errors import EnvironmentFault, TransientError
from inkstream.tasks.paths import split_url
from inkstream.tasks.stores import error_code, explain_store_error, filesystem, open_store

_FOLDER = "_probe"
_EXISTS = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")
_ONE_STORE = (
    "keep the sink on Amazon S3, on a local disk, or in a store that refuses a PUT with `If-None-Match: *` on what is "
    "there (some do so only in buckets without versioning)"
)


@lru_cache(maxsize=64)
def require_exclusive_create(sink_url: str) -> None:
    """Refuses an S3 store that cannot hold a table. Tried once a process and sink; other stores need no trying.

    Raises:
        EnvironmentFault: If it lets two writers create the same object, or cannot be written.
        TransientError: If it does not answer.
    """
    protocol, root = split_url(sink_url)
    if protocol == "s3":
        _race(sink_url, filesystem(protocol), f"{root}/{_FOLDER}/{uuid.uuid4().hex}")


def probe_sink(sink_url: str) -> str:
    """Writes to a sink's place and takes it away again; returns what was found, in a few words.

    A local folder that is not there is not made: the folder above it is tried.

    Raises:
        EnvironmentFault: If it cannot be written, or lets two writers create the same object.
        TransientError: If it does not answer.
    """
    protocol, root = split_url(sink_url)
    if protocol == "file":
        return _probe_folder(Path(root))
    if protocol == "s3":
        require_exclusive_create(sink_url)
        return "can be written, and lets only one of two writers create an object"
    store, path = open_store(protocol, root), f"{root}/{_FOLDER}/{uuid.uuid4().hex}"
    try:
        store.write(path, b"")
    except Exception as error:
        raise explain_store_error(error, f"cannot write to {sink_url}", protocol) from error
    with suppress(Exception):
        store.driver.rm_file(store.native(path))
    return "can be written"


def _probe_folder(folder: Path) -> str:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        handle, name = tempfile.mkstemp(prefix=".inkstream-probe-", dir=there)
        os.close(handle)
        Path(name).unlink()
    except OSError as error:
        raise EnvironmentFault(
            f"cannot write to {there}: {error.strerror}",
            "let this user write there, or give another folder as sink.url",
        ) from None
    return "can be written" if there == folder else f"will be made; {there} can be written"


def _race(sink_url: str, store: Any, key: str) -> None:
    """Has two writers create one object at once, and then two more one after the other: only one may succeed."""

    def create(writer: int) -> bool:
        try:
            store.pipe_file(key, str(writer).encode(), mode="create")
        except FileExistsError:
            return False
        except Exception as error:
            if error_code(error) in _EXISTS:
                return False
            raise explain_store_error(error, f"cannot write to {sink_url}") from error
        return True

    try:
        with ThreadPoolExecutor(2) as together:
            made = [*together.map(create, range(2))]
        made += [create(2), create(3)]
    finally:
        with suppress(Exception):  # no right to delete is no reason not to write
            store.rm_file(key)
    if sum(made) > 1:
        raise EnvironmentFault(
            f"the store of {sink_url} let {sum(made)} writers create the same object: "
            "two drivers could overwrite each other's commits, so no table can be kept there",
            _ONE_STORE,
        )
    if not any(made):
        raise TransientError(f"the store of {sink_url} refused each of 4 new objects as already there")

"""Probing whether a sink's URL can be written, and whether only one of two writers can create an object.

A Delta commit creates one log file, so a store that lets a second writer create it again silently loses commits. Stores
that speak S3 differ in whether they honour `If-None-Match: *` on a PUT, and only a probe shows it. All other stores
have one way of exclusive creation, which the Delta library uses.
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
    "keep the sink on Amazon S3, on a local disk, or in a store that refuses a PUT with `If-None-Match: *` on an "
    "existing object (some do so only in buckets without versioning)"
)


@lru_cache(maxsize=64)
def require_exclusive_create(sink_url: str) -> None:
    """Check that an S3 store can hold a table, once per process and sink. Other stores need no probe.

    Raises:
        EnvironmentFault: If the store lets two writers create the same object, or cannot be written.
        TransientError: If the store does not answer.
    """
    protocol, root = split_url(sink_url)
    if protocol == "s3":
        _race(sink_url, filesystem(protocol), f"{root}/{_FOLDER}/{uuid.uuid4().hex}")


def probe_sink(sink_url: str) -> str:
    """Write a test object to a sink's URL, remove it again, and return the result in a few words.

    A missing local folder is not created: its nearest existing parent is tested instead.

    Raises:
        EnvironmentFault: If the URL cannot be written, or the store lets two writers create the same object.
        TransientError: If the store does not answer.
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
    return "can be written" if there == folder else f"will be created; {there} can be written"


def _race(sink_url: str, store: Any, key: str) -> None:
    """Let two writers create one object at the same time, then two more in turn, and check that only one succeeds."""

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
        with suppress(Exception):  # writing is possible without the right to delete
            store.rm_file(key)
    if sum(made) > 1:
        raise EnvironmentFault(
            f"the store of {sink_url} let {sum(made)} writers create the same object: "
            "two drivers could overwrite each other's commits, so a table there could lose rows",
            _ONE_STORE,
        )
    if not any(made):
        raise TransientError(
            f"the store of {sink_url} refused to create a new object 4 times, as if it already existed"
        )

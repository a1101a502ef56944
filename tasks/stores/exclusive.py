"""Creating a sink's objects exclusively, and listing them, under the names that the store's driver uses."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import package_command
from inkstream.tasks.paths import split_url
from inkstream.tasks.stores.errors import explain_store_error
from inkstream.tasks.whole_files import sync_file

_LARGEST_REQUEST = 5 << 30
"""Bytes that S3 takes in one PUT."""


def filesystem(protocol: str) -> Any:
    """Return the driver of a sink's store, without a listing cache, because listings must be current."""
    try:
        return fsspec.filesystem(protocol, use_listings_cache=False)
    except (ImportError, TypeError, ValueError) as error:
        raise EnvironmentFault(
            f"no driver for {protocol}:// URLs: {error}", package_command(f"fsspec[{protocol}]")
        ) from None


def objects_below(url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the driver's name and info of every object below a URL.

    Raises:
        EnvironmentFault: If the URL may not be listed.
        TransientError: If the store does not answer.
    """
    protocol, root = split_url(url)
    try:
        found = filesystem(protocol).find(root, detail=True)
    except FileNotFoundError:
        return
    except Exception as error:
        raise explain_store_error(error, f"cannot list {url}") from error
    yield from found.items()


def create_whole(protocol: str, path: str, data: bytes) -> None:
    """Create a complete object unless it exists. If several writers try at the same time, one succeeds.

    Raises:
        FileExistsError: If the object exists. It may be this writer's own, if the first reply was lost.
        EnvironmentFault: If exclusive creation is not supported in this store, or writing is not allowed.
        TransientError: If the store fails. The object may have been created anyway.
    """
    with _creating(protocol, path):
        if protocol == "file":
            partial = Path(path).with_name(f".{Path(path).name}.{uuid.uuid4().hex}.partial")
            try:
                partial.write_bytes(data)
                _link(partial, path)
            finally:
                partial.unlink(missing_ok=True)
        else:
            filesystem(protocol).pipe_file(path, data, mode="create", chunksize=max(len(data), 1))


def create_from(protocol: str, source: Path, path: str) -> None:
    """Create an object from a local file, as `create_whole` does from bytes.

    Args:
        protocol: The store's protocol.
        source: The local file; it must be on the same file system as a local object.
        path: The object.

    Raises:
        FileExistsError: As `create_whole`.
        EnvironmentFault: As `create_whole`.
        TransientError: As `create_whole`.
    """
    with _creating(protocol, path):
        if protocol == "file":
            _link(source, path)
        else:
            filesystem(protocol).put_file(str(source), path, mode="create", chunksize=_in_one_request(source, path))


def _in_one_request(source: Path, path: str) -> int:
    """Return the size of the parts to send a file in: its own, because some stores let two uploads in parts win.

    Raises:
        EnvironmentFault: If the file is too large for one request.
    """
    size = source.stat().st_size
    if size >= _LARGEST_REQUEST:
        raise EnvironmentFault(
            f"{path}: a batch of {size >> 20} MiB cannot be created in one request; nothing was written",
            "set trigger.max_files_per_trigger to a smaller number",
        )
    return max(size, 1)


@contextmanager
def _creating(protocol: str, path: str) -> Iterator[None]:
    if protocol not in ("file", "s3"):
        raise EnvironmentFault(f"{protocol}:// objects cannot be created exclusively", "use s3 or a local folder")
    try:
        yield
    except FileExistsError:
        raise
    except Exception as error:
        raise explain_store_error(error, f"cannot create {path}") from error


def _link(source: Path, path: str) -> None:
    """Give a file another name, unless another file has it. After a power cut, it has its bytes, or not the name."""
    sync_file(source)
    os.link(source, path)

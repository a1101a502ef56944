"""What upkeep of a sink does with its objects: by the names that the store's driver has for them."""

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
from inkstream.tasks.stores.errors import explain_store_error


def filesystem(protocol: str) -> Any:
    """Opens the driver of a sink's store, with listing caches off: a listing must be of now."""
    try:
        return fsspec.filesystem(protocol, use_listings_cache=False)
    except (ImportError, TypeError, ValueError) as error:
        raise EnvironmentFault(
            f"no driver for {protocol}:// URLs: {error}", package_command(f"fsspec[{protocol}]")
        ) from None


def create_whole(protocol: str, path: str, data: bytes) -> None:
    """Creates an object whole, unless there is one: of several that try at the same time one succeeds.

    Raises:
        FileExistsError: If there is one. It may be this very one, whose first reply was lost.
        EnvironmentFault: If nothing is known of how the store does this, or it may not be written.
        TransientError: If the store fails; the object may be there all the same.
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
            filesystem(protocol).pipe_file(path, data, mode="create")


def create_from(protocol: str, source: Path, path: str) -> None:
    """As `create_whole`, from a local file; for a local path one on the same file system.

    Raises:
        FileExistsError: As there.
        EnvironmentFault: As there.
        TransientError: As there.
    """
    with _creating(protocol, path):
        if protocol == "file":
            _link(source, path)
        else:
            filesystem(protocol).put_file(str(source), path, mode="create")


@contextmanager
def _creating(protocol: str, path: str) -> Iterator[None]:
    if protocol not in ("file", "s3"):
        raise EnvironmentFault(f"no way is known to create {protocol}:// objects exclusively", "use s3 or a folder")
    try:
        yield
    except FileExistsError:
        raise
    except Exception as error:
        raise explain_store_error(error, f"cannot create {path}") from error


def _link(source: Path, path: str) -> None:
    """Gives a file that is wholly on the disk its name, unless another has it."""
    with source.open("rb") as written:
        os.fsync(written.fileno())
    os.link(source, path)

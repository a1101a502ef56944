"""What upkeep of a sink does with its objects: by the names that the store's driver has for them."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import fsspec

from ocr_core.errors import EnvironmentFault
from tasks.stores.errors import explain_store_error


def filesystem(protocol: str) -> Any:
    """Opens the driver of a sink's store, with listing caches off: a listing must be of now."""
    try:
        return fsspec.filesystem(protocol, use_listings_cache=False)
    except (ImportError, TypeError, ValueError) as error:
        raise EnvironmentFault(
            f"no driver for {protocol}:// URLs: {error}", f"pip install the fsspec driver for {protocol}"
        ) from None


def create_whole(protocol: str, path: str, data: bytes) -> None:
    """Creates an object whole, unless there is one: of several that try at the same time one succeeds.

    Raises:
        FileExistsError: If there is one. It may be this very one, whose first reply was lost.
        EnvironmentFault: If nothing is known of how the store does this, or it may not be written.
        TransientError: If the store fails; the object may be there all the same.
    """
    if protocol not in ("file", "s3"):
        raise EnvironmentFault(f"no way is known to create {protocol}:// objects exclusively", "use s3 or a folder")
    try:
        if protocol == "file":
            _create_local(Path(path), data)
        else:
            filesystem(protocol).pipe_file(path, data, mode="create")
    except FileExistsError:
        raise
    except Exception as error:
        raise explain_store_error(error, f"cannot create {path}") from error


def _create_local(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(partial, target)
    finally:
        partial.unlink(missing_ok=True)

"""Object stores: how they are opened, and what their errors mean."""

from __future__ import annotations

import errno
import os
import uuid
from pathlib import Path
from typing import Any

import fsspec

from ocr_core.errors import EnvironmentFault, InkstreamError, TransientError

_CREDENTIALS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "ExpiredToken",
    "TokenRefreshRequired",
    "RequestTimeTooSkewed",
    "InvalidSecurity",
    "NotSignedUp",
)
_CREDENTIAL_TYPES = ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound")
_REMEDY = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or a profile or role), and check AWS_ENDPOINT_URL and the clock"
)


def filesystem(protocol: str) -> Any:
    """Opens a store by its protocol, with listing caches off: a listing must be of now."""
    try:
        return fsspec.filesystem(protocol, use_listings_cache=False)
    except (ImportError, TypeError, ValueError) as error:
        raise EnvironmentFault(
            f"no driver for {protocol}:// URLs: {error}", f"pip install the fsspec driver for {protocol}"
        ) from None


def write_whole(protocol: str, path: str, data: bytes) -> None:
    """Writes an object whole or not at all: readers see the old one or the new one."""
    if protocol != "file":
        filesystem(protocol).pipe_file(path, data)
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}.partial")
    try:
        partial.write_bytes(data)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


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


def object_etag(info: dict[str, Any]) -> str:
    """The unquoted ETag of a listing or `info` entry; where a store has none, its times and size."""
    for name in ("ETag", "etag", "md5Hash", "content_md5"):
        if info.get(name):
            return str(info[name]).strip('"')
    changed = info.get("last_modified") or info.get("mtime") or info.get("created")
    return f"{changed}-{info.get('size')}"


def error_code(error: BaseException) -> str:
    """The store's own code for an error (`NoSuchKey`, `SlowDown`, `403`), or an empty string."""
    for candidate in (error, error.__cause__):
        response = getattr(candidate, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def is_credential_fault(error: BaseException) -> bool:
    """Whether nobody could be served, as opposed to this one object being forbidden."""
    return error_code(error) in _CREDENTIALS or type(error).__name__ in _CREDENTIAL_TYPES


def explain_store_error(error: BaseException, doing: str) -> InkstreamError:
    """Says whose fault an error of listing or writing a store is.

    Args:
        error: What the store's driver raised.
        doing: What was being done, such as `cannot list s3://bucket/inbox`.
    """
    if isinstance(error, InkstreamError):
        return error
    code, text = error_code(error), f"{doing}: {error}"
    if is_credential_fault(error):
        return EnvironmentFault(text, _REMEDY)
    if isinstance(error, PermissionError):
        return EnvironmentFault(text, "let these credentials list and read the bucket and write the sink")
    if isinstance(error, FileNotFoundError) or code in ("NoSuchBucket", "404"):
        return EnvironmentFault(text, "create the bucket, or correct the URL")
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.ENOTDIR, errno.EISDIR):
        return EnvironmentFault(text, "give a folder that can be written")
    return TransientError(text)

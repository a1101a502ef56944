"""Where documents arrive: listing file versions.

Names that start with `_` or `.` are ignored, files and folders alike, as Spark does: that is where tools keep
what is not data yet.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from ocr_core.errors import ConfigError, EnvironmentFault
from tasks.config import SourceOptions
from tasks.model import FileVersion
from tasks.paths import encode, split_url
from tasks.stores import explain_store_error, filesystem, object_etag

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SINK_FOLDERS = ("pages", "files", "overlays", "streams", "pipelines")


def list_files(source: SourceOptions, now: datetime | None = None) -> list[FileVersion]:
    """Lists the file versions that are there now, in the order they are to be processed.

    Args:
        source: Where, and which of them.
        now: What `stability_delay` counts from; the time of the call when not given.

    Returns:
        Oldest first by (modification time, path), or newest first with `latest_first`.

    Raises:
        ConfigError: If the folder or bucket does not exist.
        EnvironmentFault: If it cannot be listed.
    """
    protocol, root = split_url(source.url)
    listed = _list_local(root, source) if protocol == "file" else _list_remote(protocol, root, source)
    files = list(listed)
    latest = (now or datetime.now(UTC)) - source.stability_delay
    if source.stability_delay > timedelta(0):
        files = [file for file in files if file.modified <= latest]
    if source.max_file_age is not None and files:
        newest = max(file.modified for file in files)
        files = [file for file in files if newest - file.modified <= source.max_file_age]
    files.sort(key=lambda file: (file.modified, file.path), reverse=source.latest_first)
    return files


def refuse_sink_under_source(source: SourceOptions, sink_url: str) -> None:
    """Refuses a sink whose own files would be taken for documents.

    Raises:
        ConfigError: If the sink is the source or lies under it, or the source is in a folder of the sink's.
    """
    protocol, root = split_url(source.url)
    sink_protocol, sink = split_url(sink_url)
    if protocol != sink_protocol:
        return
    if _within(sink, root):
        raise ConfigError(
            f"the sink {sink_url} lies in the source {source.url}: its files would be taken for documents; "
            "give the sink a folder outside"
        )
    for folder in _SINK_FOLDERS:
        if _within(root, f"{sink.rstrip('/')}/{folder}"):
            raise ConfigError(f"the source {source.url} lies in {folder}/, a folder of the sink {sink_url}")


def _within(path: str, folder: str) -> bool:
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def _is_taken(name: str, glob: str) -> bool:
    return not name.startswith(("_", ".")) and fnmatchcase(name, glob)


def _list_local(root: str, source: SourceOptions) -> Iterator[FileVersion]:
    try:
        yield from _walk(root, source)
    except FileNotFoundError:
        raise ConfigError(f"there is no folder {root}; make it, or correct source.url") from None
    except NotADirectoryError:
        raise ConfigError(f"{root} is a file; give its folder as source.url, and its name as glob") from None
    except OSError as error:
        raise EnvironmentFault(
            f"cannot list {error.filename or root}: {error.strerror}",
            "let this user read the folder, or move it out of the source",
        ) from error


def _walk(root: str, source: SourceOptions) -> Iterator[FileVersion]:
    """Yields a folder's files. A symbolic link to a folder is followed unless it leads to a folder above."""
    waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [(root, frozenset())]
    while waiting:
        folder, above = waiting.pop()
        try:
            stat = os.stat(folder)  # noqa: PTH116 - names may be any bytes
            here = (stat.st_dev, stat.st_ino)
            entries = [] if here in above else _entries(folder)
        except (FileNotFoundError, NotADirectoryError):
            if above:
                continue  # removed since its parent was listed
            raise
        for entry in entries:
            if _is_folder(entry):
                if source.recursive and not entry.name.startswith(("_", ".")):
                    waiting.append((entry.path, above | {here}))
            elif _is_taken(entry.name, source.glob):
                file = _local_version(entry)
                if file is not None:
                    yield file


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as scan:
        return list(scan)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:  # a link to itself leads nowhere
            return False
        raise


def _local_version(entry: os.DirEntry[str]) -> FileVersion | None:
    try:
        if not entry.is_file():
            return None  # a pipe, a socket, a device, a link to nowhere
        stat = entry.stat()
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None  # removed since the folder was listed
        raise
    try:
        modified = _EPOCH + timedelta(microseconds=stat.st_mtime_ns // 1000)
    except OverflowError:
        modified = _EPOCH
    etag = f"{stat.st_mtime_ns}-{stat.st_size}"
    return FileVersion(encode("file", entry.path), etag, stat.st_size, modified)


def _list_remote(protocol: str, root: str, source: SourceOptions) -> Iterator[FileVersion]:
    store = filesystem(protocol)
    try:
        found = store.find(root, maxdepth=None if source.recursive else 1, detail=True)
        if not found:
            _require_bucket(store, root)
    except Exception as error:
        raise explain_store_error(error, f"cannot list {source.url}") from error
    depth = len(PurePosixPath(root).parts)
    for key, info in found.items():
        if info.get("type") != "file" or key.endswith("/"):
            continue  # a "folder" that some tool made
        folders = PurePosixPath(key).parts[depth:-1]
        name = key.rsplit("/", 1)[-1]
        if _is_taken(name, source.glob) and not any(part.startswith(("_", ".")) for part in folders):
            yield _remote_version(protocol, key, info)


def _require_bucket(store: Any, root: str) -> None:
    """An empty prefix is an empty source; a bucket that is not there is a mistake."""
    bucket = root.split("/", 1)[0]
    if bucket and not store.exists(bucket):
        raise FileNotFoundError(f"there is no bucket {bucket}")


def _remote_version(protocol: str, key: str, info: dict[str, Any]) -> FileVersion:
    times = (info.get(name) for name in ("LastModified", "last_modified", "mtime", "created"))
    modified = next((time for time in times if time), None)
    if not isinstance(modified, datetime):
        modified = datetime.fromtimestamp(float(modified), UTC) if modified else _EPOCH
    if modified.tzinfo is None:
        modified = modified.replace(tzinfo=UTC)
    return FileVersion(encode(protocol, key), object_etag(info), int(info.get("size") or 0), modified)

"""Listing the file versions of a source.

Files and folders whose names start with `_` or `.` are ignored, as in Spark: tools use them for files in progress.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.tasks.config import SourceOptions
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import split_url
from inkstream.tasks.stores import FileFilter, explain_store_error, open_store


def list_files(source: SourceOptions, now: datetime | None = None) -> list[FileVersion]:
    """List the current file versions, in processing order.

    Args:
        source: The folder, and which of its files to read.
        now: Time from which `stability_delay` is measured; the current time if not given.

    Returns:
        Oldest first by (modification time, path), or newest first with `latest_first`.

    Raises:
        ConfigError: If the folder does not exist, or the store does not report enough to tell versions apart.
        EnvironmentFault: If the bucket does not exist, or cannot be listed.
        TransientError: If the store does not answer.
    """
    protocol, root = split_url(source.url)
    files = _list(protocol, root, source)
    latest = (now or datetime.now(UTC)) - source.stability_delay
    if source.stability_delay > timedelta(0):
        files = [file for file in files if file.modified <= latest]
    if source.max_file_age is not None and files:
        newest = max(file.modified for file in files)
        files = [file for file in files if newest - file.modified <= source.max_file_age]
    return in_order(source, files)


def in_order(source: SourceOptions, files: Iterable[FileVersion]) -> list[FileVersion]:
    """Return files in processing order: by (modification time, path)."""
    return sorted(files, key=lambda file: (file.modified, file.path), reverse=source.latest_first)


def _list(protocol: str, root: str, source: SourceOptions) -> list[FileVersion]:
    wanted = FileFilter(source.glob, source.recursive)
    try:
        return list(open_store(protocol, root).versions(root, wanted))
    except OSError as error:
        if protocol != "file":
            raise explain_store_error(error, f"cannot list {source.url}", protocol) from error
        if isinstance(error, FileNotFoundError):
            raise ConfigError(f"there is no folder {root}; create it, or correct source.url") from None
        raise EnvironmentFault(
            f"cannot list {error.filename or root}: {error.strerror}",
            "let this user read the folder, or move it out of the source",
        ) from error
    except Exception as error:
        raise explain_store_error(error, f"cannot list {source.url}", protocol) from error

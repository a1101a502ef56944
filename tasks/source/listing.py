"""Listing the file versions of a source.

Files and folders whose names start with `_` or `.` are ignored, as in Spark: tools use them for files in progress. What
is left out is counted by reason (`inkstream.tasks.skipped`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.tasks.config import SourceOptions
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import decode, split_url
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.stores import FileFilter, explain_store_error, open_store

_CLOCKS_DIFFER = timedelta(minutes=1)
"""How far ahead of this machine's clock a file may be before its time is said to be in the future."""


def list_files(source: SourceOptions, now: datetime | None = None, skipped: Skipped | None = None) -> list[FileVersion]:
    """List the current file versions, in processing order.

    Args:
        source: The folder, and which of its files to read.
        now: Time from which `stability_delay` is measured; the current time if not given.
        skipped: Counts the files that are left out.

    Returns:
        Oldest first by (modification time, path), or newest first with `latest_first`.

    Raises:
        ConfigError: If the folder does not exist, the store does not report enough to tell versions apart, or the
            braces of `glob` stand for too many names.
        EnvironmentFault: If the bucket does not exist, or cannot be listed.
        TransientError: If the store does not answer.
    """
    protocol, root = split_url(source.url)
    skipped = Skipped() if skipped is None else skipped
    skipped.root = root
    now = now or datetime.now(UTC)
    files = _list(protocol, root, source, skipped)
    if source.stability_delay > timedelta(0):
        files = without(files, skipped, lambda file: unsettled_reason(source, file, now))
    if source.max_file_age is not None and files:
        oldest = _newest(files, now) - source.max_file_age
        files = without(files, skipped, lambda file: SkipReason.OLD if file.modified < oldest else None)
    return in_order(source, files)


@lru_cache(maxsize=8)
def _compiled(glob: str, recursive: bool) -> FileFilter:
    return FileFilter(glob, recursive)


def file_filter(source: SourceOptions) -> FileFilter:
    """Return the rule for which files of a source are documents by their names.

    Raises:
        ConfigError: If the braces of `glob` stand for too many names.
    """
    return _compiled(source.glob, source.recursive)


def unsettled_reason(source: SourceOptions, file: FileVersion, now: datetime) -> SkipReason | None:
    """Return why a file has to wait because of `stability_delay`; None if it need not."""
    since = last_change(file)
    if source.stability_delay <= timedelta(0) or since <= now - source.stability_delay:
        return None
    return SkipReason.FUTURE if since > now + _CLOCKS_DIFFER else SkipReason.UNSTABLE


def last_change(file: FileVersion) -> datetime:
    """Return when a file was changed. Its own time may be in the future, as a scanner's clock may be fast."""
    return file.changed or file.modified


def _newest(files: Iterable[FileVersion], now: datetime) -> datetime:
    """Return the time of the newest file. A time in the future would make all other files too old."""
    return max((file.modified for file in files if file.modified <= now), default=now)


def without(
    files: Iterable[FileVersion], skipped: Skipped, reason_of: Callable[[FileVersion], SkipReason | None]
) -> list[FileVersion]:
    """Return the files without those that have a reason, which are counted."""
    rest = []
    for file in files:
        reason = reason_of(file)
        if reason is None:
            rest.append(file)
        else:
            skipped.add(reason, decode(file.path)[1])
    return rest


def in_order(source: SourceOptions, files: Iterable[FileVersion]) -> list[FileVersion]:
    """Return files in processing order: by (modification time, path)."""
    return sorted(files, key=lambda file: (file.modified, file.path), reverse=source.latest_first)


def _list(protocol: str, root: str, source: SourceOptions, skipped: Skipped) -> list[FileVersion]:
    wanted = file_filter(source)
    try:
        return list(open_store(protocol, root).versions(root, wanted, skipped))
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

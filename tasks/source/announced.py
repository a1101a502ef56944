"""What became of announced objects: asked of the store, and compared with what is known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import split_url
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.source.discovery import Discovery, discover
from inkstream.tasks.source.listing import in_order
from inkstream.tasks.source.notifications import Announcement, Belongs, belongs
from inkstream.tasks.stores import S3Store, explain_store_error, open_store
from inkstream.tasks.stores.base import EPOCH

_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Why an announcement cannot be put away yet.

    Attributes:
        why: In a few words.
        again_in: When to look again; None for whenever the queue gives the message out again.
    """

    why: str
    again_in: timedelta | None = None


@dataclass(slots=True)
class _Sighting:
    """What a look at the store found.

    Attributes:
        there: Current versions that may be read now.
        missing: Announced versions of objects that are not there, for no reason known yet.
        unsettled: By URL, what has to wait.
    """

    there: list[FileVersion] = field(default_factory=list)
    missing: list[FileVersion] = field(default_factory=list)
    unsettled: dict[str, Unsettled] = field(default_factory=dict)


def discover_announced(
    config: StreamConfig, sink: Sink, announcements: Sequence[Announcement], removed: Collection[str]
) -> tuple[Discovery, dict[str, Unsettled]]:
    """Finds out which of the announced objects are new, as `discover` does of all that are there.

    Args:
        config: The stream; its source is on S3.
        sink: Its sink.
        announcements: What was announced, in any order.
        removed: URLs of objects whose removal was announced.

    Returns:
        What is new, and by URL what cannot be settled yet. All else is done with: committed, gone or not wanted.

    Raises:
        EnvironmentFault: If the source or the sink cannot be read.
        TransientError: If a store does not answer.
    """
    sighting = _Sighting()

    def look() -> list[FileVersion]:
        _look(config, announcements, removed, sighting)
        return [*in_order(config.source, sighting.there), *sighting.missing]

    found = discover(config, sink, look=look)
    missing = {file.key for file in sighting.missing}
    # What is known although it is not there was committed, and has been archived or deleted since.
    unknown = {file.path: Unsettled("there is no such object (yet?)") for file in found.files if file.key in missing}
    new = [file for file in found.files if file.key not in missing]
    there = {file.key for file in sighting.there}
    known = [file for file in found.known_files if file.key in there]
    found = replace(found, files=new, listed=len(sighting.there), known_files=known)
    return found, {**sighting.unsettled, **unknown}


def _look(
    config: StreamConfig, announcements: Sequence[Announcement], removed: Collection[str], sighting: _Sighting
) -> None:
    """Asks the store about each object once."""
    created: dict[str, Announcement] = {}
    for one in announcements:
        place = belongs(config, one.path)
        if place is Belongs.ELSEWHERE:
            sighting.unsettled[one.url] = Unsettled(f"it is {place.value} than the source")
        elif place is Belongs.TAKEN and one.created:
            created[one.path] = one
    now = datetime.now(UTC)
    for one, file in zip(created.values(), _current(config, list(created)), strict=True):
        if file is not None:
            _keep(config, file, now, sighting)
        elif one.url in removed or _was_deleted(config, one.path):
            continue
        elif one.etag is None or one.size is None:
            sighting.unsettled[one.url] = Unsettled("there is no such object (yet?)")
        else:
            sighting.missing.append(FileVersion(one.url, one.etag, one.size, EPOCH))


def _keep(config: StreamConfig, file: FileVersion, now: datetime, sighting: _Sighting) -> None:
    ready = file.modified + config.source.stability_delay - now
    if config.source.stability_delay and ready > timedelta(0):
        sighting.unsettled[file.path] = Unsettled("it may still change (source.stability_delay)", ready)
    elif config.source.max_file_age is None or now - file.modified <= config.source.max_file_age:
        sighting.there.append(file)  # an older one is left to the listing, which knows the newest file


def _current(config: StreamConfig, paths: Sequence[str]) -> list[FileVersion | None]:
    if not paths:
        return []
    store = _store(config)
    try:
        first = store.current(paths[0])  # alone, as it may open the connection for all
        with ThreadPoolExecutor(_TOGETHER) as together:
            return [first, *together.map(store.current, paths[1:])]
    except Exception as error:
        raise explain_store_error(error, f"cannot look up announced objects of {config.source.url}") from error


def _was_deleted(config: StreamConfig, path: str) -> bool:
    try:
        return _store(config).was_deleted(path)
    except Exception as error:
        raise explain_store_error(error, f"cannot look up s3://{path}") from error


def _store(config: StreamConfig) -> S3Store:
    store = open_store(*split_url(config.source.url))
    assert isinstance(store, S3Store)
    return store

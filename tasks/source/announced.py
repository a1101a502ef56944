"""Finding out which announced objects are new: the store reports their current versions, the sink what is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import FileVersion, Unsettled
from inkstream.tasks.paths import split_url, within
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.source.discovery import Discovery, compare
from inkstream.tasks.source.event_source import Announcement
from inkstream.tasks.source.listing import in_order
from inkstream.tasks.stores import FileFilter, explain_store_error
from inkstream.tasks.stores.abilities import open_lookup
from inkstream.tasks.stores.base import EPOCH

_NOT_THERE = Unsettled("it does not exist, or not yet")


class ObjectPlace(Enum):
    """Where an announced object is in relation to a stream's source."""

    DOCUMENT = "in the source, and a document"
    IGNORED = "filtered out, outside the source's folder, or under the sink or the archive"
    ELSEWHERE = "in another bucket than the source"


@dataclass(frozen=True, slots=True)
class _Sighting:
    """What the store reports about announced objects.

    Attributes:
        present: Current versions that may be read now.
        missing: Announced versions of objects that do not exist, for an unknown reason.
        unsettled: By URL, the objects that have to wait.
    """

    present: list[FileVersion]
    missing: list[FileVersion]
    unsettled: dict[str, Unsettled]


def discover_announced(
    config: StreamConfig, sink: Sink, announcements: Sequence[Announcement], removed: Collection[str]
) -> Discovery:
    """Find out which of the announced objects are new, as `discover` does for the whole source.

    Args:
        config: The stream; its source's store has `VersionLookup`.
        sink: The stream's sink.
        announcements: The announcements, in any order.
        removed: URLs of objects whose removal was announced.

    Returns:
        The new files, and in `unsettled` the objects that have to wait. Every other object is settled: it is committed,
        gone or not wanted.

    Raises:
        ConfigError: If the source's store cannot describe a single object.
        EnvironmentFault: If the source or the sink cannot be read.
        TransientError: If a store does not answer.
    """
    snapshot = sink.known(config.stream)
    # After the snapshot, so that no version in the snapshot can be newer than what is seen here.
    sighting = _sight(config, announcements, removed)
    looked_at = [*in_order(config.source, sighting.present), *sighting.missing]
    discovery = compare(config, snapshot, looked_at, {file.path for file in looked_at})
    # A version that is known although it is missing was committed, and has been archived or deleted since.
    missing = {file.key for file in sighting.missing}
    waiting = {file.path: _NOT_THERE for file in discovery.files if file.key in missing}
    present = {file.key for file in sighting.present}
    return replace(
        discovery,
        files=[file for file in discovery.files if file.key in present],
        listed=len(sighting.present),
        known_files=[file for file in discovery.known_files if file.key in present],
        unsettled={**sighting.unsettled, **waiting},
    )


def place_of(config: StreamConfig, announcement: Announcement) -> ObjectPlace:
    """Return where an announced object is. The same objects are documents here as in a listing."""
    protocol, root = split_url(config.source.url)
    path = announcement.path
    if announcement.protocol == protocol and within(path, root) and path != root:
        wanted = FileFilter(config.source.glob, config.source.recursive)
        relative = path[len(root.rstrip("/")) + 1 :]
        is_document = not path.endswith("/") and wanted.is_wanted_path(relative)
        return ObjectPlace.DOCUMENT if is_document else ObjectPlace.IGNORED
    if announcement.protocol == protocol and path.partition("/")[0] == root.partition("/")[0]:
        return ObjectPlace.IGNORED
    for url in (config.sink.url, config.source.source_archive_dir):
        where, folder = split_url(url) if url else ("", "")
        if announcement.protocol == where and within(path, folder):
            return ObjectPlace.IGNORED
    return ObjectPlace.ELSEWHERE


def _sight(config: StreamConfig, announcements: Iterable[Announcement], removed: Collection[str]) -> _Sighting:
    """Ask the store about each announced object once."""
    placed = [(announcement, place_of(config, announcement)) for announcement in announcements]
    created = {event.path: event for event, place in placed if event.created and place is ObjectPlace.DOCUMENT}
    found, absent = _look_up(config, list(created.values()), removed)
    now = datetime.now(UTC)
    waiting = {file.path: wait for file in found if (wait := _stability_wait(config, file, now))}
    max_age = config.source.max_file_age
    return _Sighting(
        # A file over the age limit is left to the listing, which knows the newest file that age is measured from.
        present=[f for f in found if f.path not in waiting and (max_age is None or now - f.modified <= max_age)],
        missing=[
            FileVersion(event.url, event.etag, event.size, EPOCH)
            for event in absent
            if event.etag is not None and event.size is not None
        ],
        unsettled={
            **{event.url: Unsettled(f"it is {at.value}") for event, at in placed if at is ObjectPlace.ELSEWHERE},
            **{event.url: _NOT_THERE for event in absent if event.etag is None or event.size is None},
            **waiting,
        },
    )


def _look_up(
    config: StreamConfig, announced: Sequence[Announcement], removed: Collection[str]
) -> tuple[list[FileVersion], list[Announcement]]:
    """Return the objects that exist, and the announcements of those that are missing and were not removed."""
    if not announced:
        return [], []
    with _explained(config):
        lookup = open_lookup(config.source.url, "events")
        pairs = [*zip(announced, lookup.look_up([event.path for event in announced]), strict=True)]
        absent = [event for event, file in pairs if file is None and event.url not in removed]
        return [file for _, file in pairs if file], [event for event in absent if not lookup.was_deleted(event.path)]


def _stability_wait(config: StreamConfig, file: FileVersion, now: datetime) -> Unsettled | None:
    delay = config.source.stability_delay
    ready = file.modified + delay - now
    if delay and ready > timedelta(0):
        return Unsettled("it may still change (source.stability_delay)", ready)
    return None


@contextmanager
def _explained(config: StreamConfig) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        protocol, _ = split_url(config.source.url)
        doing = f"cannot look up announced objects of {config.source.url}"
        raise explain_store_error(error, doing, protocol) from error

"""Finding out which announced objects are new: the store reports their current versions, the sink what is done."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import FileVersion, Unsettled
from inkstream.tasks.paths import split_url, within
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.source.discovery import Discovery, compare
from inkstream.tasks.source.event_source import Announcement
from inkstream.tasks.source.listing import file_filter, in_order, last_change, unsettled_reason, without
from inkstream.tasks.stores import explain_store_error
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
        skipped: Counts the objects over the age limit.
    """

    present: list[FileVersion]
    missing: list[FileVersion]
    unsettled: dict[str, Unsettled]
    skipped: Skipped


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
        skipped=sighting.skipped,
    )


def place_of(config: StreamConfig, announcement: Announcement) -> ObjectPlace:
    """Return where an announced object is. The same objects are documents here as in a listing."""
    protocol, root = split_url(config.source.url)
    path = announcement.path
    if announcement.protocol == protocol and within(path, root) and path != root:
        is_document = not path.endswith("/") and _skip_reason(config, path) is None
        return ObjectPlace.DOCUMENT if is_document else ObjectPlace.IGNORED
    if announcement.protocol == protocol and path.partition("/")[0] == root.partition("/")[0]:
        return ObjectPlace.IGNORED
    for url in (config.sink.url, config.source.source_archive_dir):
        where, folder = split_url(url) if url else ("", "")
        if announcement.protocol == where and within(path, folder):
            return ObjectPlace.IGNORED
    return ObjectPlace.ELSEWHERE


def skipped_announcements(config: StreamConfig, announcements: Iterable[Announcement]) -> Skipped:
    """Count, as a listing does, the announced objects in the source's folder that are not documents by their names."""
    protocol, root = split_url(config.source.url)
    skipped = Skipped(root)
    for event in announcements:
        path = event.path
        if not event.created or event.protocol != protocol or not within(path, root) or path.endswith("/"):
            continue
        reason = None if path == root else _skip_reason(config, path)
        if reason is not None:
            skipped.add(reason, path)
    return skipped


def _skip_reason(config: StreamConfig, path: str) -> SkipReason | None:
    """Return why an object in the source's folder is not a document by its name; None if it is one."""
    _, root = split_url(config.source.url)
    return file_filter(config.source).path_reason(path[len(root.rstrip("/")) + 1 :])


def _sight(config: StreamConfig, announcements: Iterable[Announcement], removed: Collection[str]) -> _Sighting:
    """Ask the store about each announced object once."""
    placed = [(announcement, place_of(config, announcement)) for announcement in announcements]
    created = {event.path: event for event, place in placed if event.created and place is ObjectPlace.DOCUMENT}
    found, absent = _look_up(config, list(created.values()), removed)
    now = datetime.now(UTC)
    waiting = {file.path: wait for file in found if (wait := _stability_wait(config, file, now))}
    skipped = Skipped(split_url(config.source.url)[1])
    present = _without_old(config, [file for file in found if file.path not in waiting], now, skipped)
    return _Sighting(
        present=present,
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
        skipped=skipped,
    )


def _without_old(
    config: StreamConfig, files: Iterable[FileVersion], now: datetime, skipped: Skipped
) -> list[FileVersion]:
    """Leave files over the age limit to the listing, which knows the newest file that age is measured from."""
    max_age = config.source.max_file_age
    if max_age is None:
        return list(files)
    return without(files, skipped, lambda file: SkipReason.OLD if now - file.modified > max_age else None)


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
    reason = unsettled_reason(config.source, file, now)
    if reason is None:
        return None
    ready = last_change(file) + config.source.stability_delay - now
    if reason is SkipReason.FUTURE:
        return Unsettled("its time is in the future, so it may still change (source.stability_delay)", ready)
    return Unsettled("it may still change (source.stability_delay)", ready)


@contextmanager
def _explained(config: StreamConfig) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        protocol, _ = split_url(config.source.url)
        doing = f"cannot look up announced objects of {config.source.url}"
        raise explain_store_error(error, doing, protocol) from error

"""The registry of event sources, and opening one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from urllib.parse import urlsplit

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import EventOptions, StreamConfig
from inkstream.tasks.paths import split_url
from inkstream.tasks.source import sqs
from inkstream.tasks.source.event_source import EventSource, EventSourceKind, QueueStatus
from inkstream.tasks.stores.abilities import require_lookup

_KINDS = (sqs.KIND,)

EVENT_SOURCES: dict[str, EventSourceKind] = {scheme: kind for kind in _KINDS for scheme in kind.schemes}
"""By the scheme of a URL, what opens it."""


def find_kind(url: str) -> EventSourceKind:
    """Return what kind of event source a URL names.

    Raises:
        ConfigError: If no known kind has URLs of this scheme.
    """
    scheme = urlsplit(url).scheme
    if scheme not in EVENT_SOURCES:
        kinds = {kind.name: kind for kind in EVENT_SOURCES.values()}
        known = "; ".join(f"{name}, such as {kind.example}" for name, kind in kinds.items())
        raise ConfigError(f"events.queue {url}: no event source has such URLs; known are: {known}")
    return EVENT_SOURCES[scheme]


def open_event_source(url: str, visibility_timeout: timedelta) -> EventSource:
    """Open the event source of a URL.

    Args:
        url: The URL.
        visibility_timeout: How long a received message is hidden from other consumers.

    Raises:
        ConfigError: If the URL is not one of an event source.
        EnvironmentFault: If this machine lacks something.
    """
    return find_kind(url).open(url, visibility_timeout)


def count_messages(events: EventOptions) -> QueueStatus:
    """Return how many messages the event source of `events.queue` has.

    Raises:
        ConfigError: If it is not set, or is not the URL of an event source.
        EnvironmentFault: If there is no such queue, or these credentials may not ask it.
        TransientError: If it does not answer.
    """
    source = open_event_source(_required(events), events.visibility_timeout)
    try:
        return source.status()
    finally:
        source.close()


def require_event_source(config: StreamConfig) -> str:
    """Return the URL of the stream's event source, once it is clear that it can tell of the stream's source.

    Nothing is connected to.

    Raises:
        ConfigError: If `events.queue` is not set, is of an unknown kind, or announces objects of other stores; or if
            the source's store cannot be asked for one object.
    """
    url = _required(config.events)
    kind = find_kind(url)
    require_announced(config, kind.announces, f"events.queue {url}: {kind.name}")
    return url


def require_announced(config: StreamConfig, protocols: Collection[str], who: str) -> None:
    """Check that somebody's announcements can be about the stream's source.

    Args:
        config: The stream.
        protocols: The schemes of the stores whose objects are announced.
        who: Who announces them, to begin the message with.

    Raises:
        ConfigError: If the source is in another store, or its store cannot be asked for one object.
    """
    source = config.source.url
    if split_url(source)[0] not in protocols:
        schemes = ", ".join(f"{name}://" for name in sorted(protocols))
        raise ConfigError(
            f"{who} announces objects of {schemes} stores, and the source {source} is not in one; give a source there, "
            "or leave events out and run `inkstream run --every 1m`"
        )
    require_lookup(source, who)


def _required(events: EventOptions) -> str:
    if events.queue is None:
        raise ConfigError("no queue is given: set events.queue, or --queue URL")
    return events.queue

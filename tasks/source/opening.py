"""The registry of event sources, and functions to open one."""

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
"""The kind of event source for each URL scheme."""


def find_kind(url: str) -> EventSourceKind:
    """Return the kind of event source that a URL names.

    Raises:
        ConfigError: If no known kind has URLs of this scheme.
    """
    scheme = urlsplit(url).scheme
    if scheme not in EVENT_SOURCES:
        kinds = {kind.name: kind for kind in EVENT_SOURCES.values()}
        known = "; ".join(f"{name}, such as {kind.example}" for name, kind in kinds.items())
        raise ConfigError(f"events.queue {url}: no event source has URLs of this scheme; known event sources: {known}")
    return EVENT_SOURCES[scheme]


def open_event_source(url: str, visibility_timeout: timedelta) -> EventSource:
    """Open the event source of a URL.

    Args:
        url: The URL.
        visibility_timeout: How long a received message is hidden from other consumers.

    Raises:
        ConfigError: If the URL is not the URL of an event source.
        EnvironmentFault: If this machine lacks something that the event source needs.
    """
    return find_kind(url).open(url, visibility_timeout)


def count_messages(events: EventOptions) -> QueueStatus:
    """Return the numbers of messages in the event source of `events.queue`.

    Raises:
        ConfigError: If `events.queue` is not set, or is not the URL of an event source.
        EnvironmentFault: If the queue does not exist, or these credentials may not read its attributes.
        TransientError: If the queue does not answer.
    """
    source = open_event_source(_required(events), events.visibility_timeout)
    try:
        return source.status()
    finally:
        source.close()


def require_event_source(config: StreamConfig) -> str:
    """Return the URL of the stream's event source after checking, without connecting, that it can announce the source.

    Raises:
        ConfigError: If `events.queue` is not set, is of an unknown kind, or announces objects of other stores; or if
            the source's store cannot describe a single object.
    """
    url = _required(config.events)
    kind = find_kind(url)
    require_announced(config, kind.announces, f"events.queue {url}: {kind.name}")
    return url


def require_announced(config: StreamConfig, protocols: Collection[str], who: str) -> None:
    """Check that announcements can be about the stream's source.

    Args:
        config: The stream.
        protocols: The schemes of the stores whose objects are announced.
        who: Who announces them, to start the message.

    Raises:
        ConfigError: If the source is in another store, or its store cannot describe a single object.
    """
    source = config.source.url
    if split_url(source)[0] not in protocols:
        schemes = ", ".join(f"{name}://" for name in sorted(protocols))
        raise ConfigError(
            f"{who} announces objects of {schemes} stores, and the source {source} is not in one; use such a source, "
            "or run `inkstream run --every 1m` without events"
        )
    require_lookup(source, who)


def _required(events: EventOptions) -> str:
    if events.queue is None:
        raise ConfigError("no queue is given; set events.queue, or --queue URL")
    return events.queue

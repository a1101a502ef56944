"""The protocol of event sources: queues that announce which objects were created or removed, in any cloud.

An event is only a hint: it may come twice, late, out of order or never. The store is asked for an object's current
version (`inkstream.tasks.source.announced`), and the table for what is done. So an event source only has to deliver a
message again until it is acknowledged.

To add a kind of event source, write a module with a class that has the methods of `EventSource` and with an
`EventSourceKind`, and add a line to `inkstream.tasks.source.opening`. `inkstream.tasks.source.sqs` is an example.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from inkstream.tasks.paths import encode

GIVE_BACK = timedelta(0)
"""Argument for `EventSource.hide`: let other consumers receive the messages at once."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a message says about one object.

    Attributes:
        protocol: The scheme of its store's URLs, such as `s3`.
        path: The object as the store knows it: the bucket, a slash, and the key; not URL-encoded.
        created: Whether the object was created or restored; otherwise it was removed.
        etag: Unquoted ETag of the version that the message is about; None if unknown.
        size: Size of that version in bytes; None if unknown.
    """

    protocol: str
    path: str
    created: bool
    etag: str | None = None
    size: int | None = None

    @property
    def url(self) -> str:
        """The object's URL, as in the column `path`."""
        return encode(self.protocol, self.path)


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is hidden from other consumers until its visibility timeout ends.

    Attributes:
        id: The message's id in the event source.
        receipt: Identifies this delivery to the event source.
        announcements: What the message announces; empty for a test message or one about something else.
        problem: Why the message cannot be read; None if it can. Such a message is never acknowledged, so it becomes a
            dead letter.
    """

    id: str
    receipt: str
    announcements: tuple[Announcement, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """The approximate numbers of messages that an event source reports.

    Attributes:
        url: The event source.
        waiting: Number of messages that can be received now.
        in_flight: Number of messages that consumers are processing.
        delayed: Number of messages that cannot be received yet.
        dead_letters: The status of its dead-letter queue; None if it has none.
    """

    url: str
    waiting: int
    in_flight: int
    delayed: int
    dead_letters: QueueStatus | None = None


class EventSource(Protocol):
    """A queue of messages about objects.

    Each method may raise EnvironmentFault if the queue does not exist or the credentials lack the right, and
    TransientError if the queue does not answer.
    """

    @property
    def url(self) -> str:
        """The URL that it was opened with."""

    def has_dead_letters(self) -> bool:
        """Return whether messages that are never acknowledged become dead letters after some deliveries."""

    def receive(self, limit: int, wait: timedelta) -> list[Message]:
        """Wait for a message, and return it with others that are available; hide them from other consumers.

        Args:
            limit: Maximum number of messages.
            wait: How long to wait for the first one.
        """

    def hide(self, messages: Sequence[Message], time: timedelta) -> None:
        """Hide messages from other consumers for this long from now, or with `GIVE_BACK` stop hiding them.

        Errors are not raised: a message that another consumer sees too early is read twice and written once.
        """

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Delete messages. One that cannot be deleted now is delivered again and then found to be settled."""

    def status(self) -> QueueStatus:
        """Return the numbers of messages in the queue and in its dead-letter queue."""

    def close(self) -> None:
        """Close the connections. Messages that are not acknowledged are delivered again."""


@dataclass(frozen=True, slots=True)
class EventSourceKind:
    """An entry of the registry in `inkstream.tasks.source.opening`.

    Attributes:
        name: The name for messages.
        schemes: The schemes of its URLs.
        example: An example URL for messages.
        announces: The schemes of the stores whose objects it can announce.
        open: Opens an event source, given its URL and visibility timeout. Raises ConfigError if the URL is wrong.
    """

    name: str
    schemes: tuple[str, ...]
    example: str
    announces: frozenset[str]
    open: Callable[[str, timedelta], EventSource]


@contextmanager
def held(source: EventSource, messages: Sequence[Message], visibility: timedelta) -> Iterator[None]:
    """Keep messages hidden from other consumers while the block runs. If the block raises, give them back at once.

    Args:
        source: The event source of the messages.
        messages: The messages that are processed.
        visibility: How long they are hidden after each renewal, which is how late they come back after a kill.
    """
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(visibility.total_seconds() / 3):
            source.hide(messages, visibility)

    heartbeat = threading.Thread(target=renew, name="inkstream-visibility", daemon=True)
    heartbeat.start()
    try:
        yield
    except BaseException:
        ended.set()
        heartbeat.join()
        source.hide(messages, GIVE_BACK)
        raise
    finally:
        ended.set()
        heartbeat.join()

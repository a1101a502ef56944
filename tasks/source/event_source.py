"""Where events come from: a queue that says which objects were created or removed, whatever cloud it belongs to.

An event is a hint and no more: it may come twice, late, out of order or never. What an object is now is asked of the
store (`inkstream.tasks.source.announced`), and what is done is asked of the table. So an event source only has to keep
its promise to give a message out again until it is acknowledged.

A new kind of event source is a module with a class that has the methods of `EventSource` and an `EventSourceKind`, and
a line in `inkstream.tasks.source.opening`. `inkstream.tasks.source.sqs` is the first.
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
"""Given to `EventSource.hide`: let other consumers have the messages at once."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a message says of one object.

    Attributes:
        protocol: The scheme of its store's URLs, such as `s3`.
        path: The object as the store knows it: the bucket, a slash, and the key; not URL-encoded.
        created: Whether the object was created or restored; otherwise it was removed.
        etag: Unquoted ETag of the version that the message is about; None where it does not say.
        size: Its size in bytes; None where the message does not say.
    """

    protocol: str
    path: str
    created: bool
    etag: str | None = None
    size: int | None = None

    @property
    def url(self) -> str:
        """The object's name as rows have it."""
        return encode(self.protocol, self.path)


@dataclass(frozen=True, slots=True)
class Message:
    """A message that belongs to this consumer until its visibility timeout ends.

    Attributes:
        id: The event source's name for it.
        receipt: What the event source knows this delivery by.
        announcements: What it says; empty for a test message or one about something else.
        problem: Why it cannot be read; None where it can. It is never acknowledged, so it becomes a dead letter.
    """

    id: str
    receipt: str
    announcements: tuple[Announcement, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """How many messages an event source has, approximately, as it says itself.

    Attributes:
        url: The event source.
        waiting: Messages that can be received now.
        in_flight: Messages that a consumer works on.
        delayed: Messages that cannot be received yet.
        dead_letters: The same for its dead-letter queue; None where it has none.
    """

    url: str
    waiting: int
    in_flight: int
    delayed: int
    dead_letters: QueueStatus | None = None


class EventSource(Protocol):
    """A queue of messages about objects.

    Each method may raise EnvironmentFault where the queue does not exist or these credentials may not do it, and
    TransientError where it does not answer.
    """

    @property
    def url(self) -> str:
        """The URL it was opened by."""

    def has_dead_letters(self) -> bool:
        """Return whether messages that are never acknowledged are set aside after some tries."""

    def receive(self, limit: int, wait: timedelta) -> list[Message]:
        """Wait for a message and return it with others that are there; they are hidden from other consumers.

        Args:
            limit: Number of messages at most.
            wait: How long to wait for the first.
        """

    def hide(self, messages: Sequence[Message], time: timedelta) -> None:
        """Hide messages from other consumers for this long from now; `GIVE_BACK` ends it.

        It raises nothing: a message that another consumer sees too early is read twice and written once.
        """

    def acknowledge(self, messages: Sequence[Message]) -> None:
        """Delete messages. One that cannot be deleted now is given out again, and is found to be settled then."""

    def status(self) -> QueueStatus:
        """Return how many messages it has, and how many its dead-letter queue has."""

    def close(self) -> None:
        """Close its connections. Messages that are not acknowledged are given out again."""


@dataclass(frozen=True, slots=True)
class EventSourceKind:
    """An entry of the registry in `inkstream.tasks.source.opening`.

    Attributes:
        name: What people call it.
        schemes: The schemes of its URLs.
        example: A URL, for messages.
        announces: The schemes of the stores whose objects it can announce.
        open: Opens an event source by its URL and visibility timeout. It raises ConfigError where the URL is wrong.
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
        source: Where the messages are from.
        messages: What is worked on.
        visibility: How long they are hidden after each renewal, so how late they come again after a kill.
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

"""The loop that follows events: take messages, drain what they announce, acknowledge those that are settled.

It is plain Python, as the drain loop is: the same code runs directly and under Prefect. It knows event sources by their
protocol alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

from inkstream.flows.loop.planners import AnnouncedFiles, NewFiles, Planner
from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Unsettled
from inkstream.tasks.progress import Event, MessagesTaken, Notice, Observer, Summary
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source.announced import ObjectPlace, place_of
from inkstream.tasks.source.event_source import Announcement, Message, held
from inkstream.tasks.source.opening import open_event_source, require_event_source

T = TypeVar("T")

_REMEMBERED = 10_000
"""Number of announced removals that are remembered, for creations that are announced after them."""
_LAST_LOOK = timedelta(seconds=1)
_LONGEST_PAUSE = 30.0


class Drain(Protocol):
    """Does what a planner decides."""

    def __call__(self, planner: Planner) -> Summary:
        """Return what was done. Raise as `inkstream.flows.loop.drain.StreamRun.drain` does."""


class Listener:
    """Follows the event source of a stream, once.

    Args:
        config: The stream's configuration.
        drain: Does what a planner decides.
        warm_up: Called before the first wait for a message, so that the workers are ready when it comes.
        observers: Called with each event.

    Raises:
        ConfigError: If no event source is given, or it cannot announce what is in the stream's source.
        EnvironmentFault: If this machine lacks something that the event source needs.
    """

    def __init__(
        self, config: StreamConfig, drain: Drain, warm_up: Callable[[], object], observers: Sequence[Observer] = ()
    ) -> None:
        self._config = config
        self._visibility = config.events.visibility_timeout
        self._source = open_event_source(require_event_source(config), self._visibility)
        self._drain = drain
        self._warm_up = warm_up
        self._observers = observers
        self._removed: dict[str, None] = {}
        self._once = False
        self._list_at: float | None = time.monotonic() if config.events.backfill_interval else None
        self._summary = Summary(table=open_sink(config.sink).url)

    def listen(self, *, once: bool = False, max_batches: int | None = None) -> Summary:
        """Work until interrupted.

        Args:
            once: End as soon as the event source has no message to give.
            max_batches: End when this many batches are committed, or a few more that were announced together.

        Raises:
            ConfigError: If the configuration cannot be run.
            EnvironmentFault: If the machine lacks something.
            TransientError: With `once`, if the work should be tried again later; otherwise it is tried again here.
        """
        self._once = once
        try:
            self._warn_without_dead_letters()
            self._follow(max_batches)
        finally:
            self._source.close()
        return self._summary

    def _warn_without_dead_letters(self) -> None:
        if not self._source.has_dead_letters():
            self._tell(
                Notice(
                    f"the queue {self._source.url} has no dead-letter queue: messages that cannot be settled come "
                    "again until they expire; give it one (SQS calls that a redrive policy)"
                )
            )

    def _follow(self, max_batches: int | None) -> None:
        warm = False
        while max_batches is None or self._summary.batches < max_batches:
            if self._list_at is not None and time.monotonic() >= self._list_at:
                self._list()
            if not warm and not self._once:
                self._persistently(self._warm_up)
                warm = True
            messages = self._persistently(self._receive)
            if messages:
                self._work_off(messages)
            elif self._once:
                break

    def _receive(self) -> list[Message]:
        wait = self._config.events.wait
        if self._once:
            wait = min(wait, _LAST_LOOK)
        if self._list_at is not None:
            wait = min(wait, timedelta(seconds=max(0.0, self._list_at - time.monotonic())))
        return self._source.receive(self._config.trigger.max_files_per_trigger, wait)

    def _list(self) -> None:
        """Find what events have lost, by listing the source."""
        interval = self._config.events.backfill_interval
        assert interval is not None
        begun = time.monotonic()
        self._summary.add(self._persistently(lambda: self._drain(NewFiles())))
        self._list_at = begun + interval.total_seconds()

    def _work_off(self, messages: Sequence[Message]) -> None:
        unreadable = {message.id: message.problem for message in messages if message.problem is not None}
        readable = [message for message in messages if message.problem is None]
        self._remember([one for message in readable for one in message.announcements])
        with held(self._source, readable, self._visibility):
            done = self._drain_announced(readable)
            reasons = {**{url: one.why for url, one in done.unsettled.items()}, **done.left_out}
            settled = [m for m in readable if not any(one.url in reasons for one in m.announcements)]
            self._source.acknowledge(settled)
        self._postpone(readable, done.unsettled)
        self._tell(MessagesTaken(len(messages), len(settled), unreadable, reasons))

    def _drain_announced(self, messages: Sequence[Message]) -> Summary:
        # A sink in the same bucket announces more objects than the source: the store is not asked for those.
        announcements = [
            one
            for message in messages
            for one in message.announcements
            if place_of(self._config, one) is not ObjectPlace.IGNORED
        ]
        if not announcements:
            return Summary(table=self._summary.table)
        done = self._persistently(lambda: self._drain(AnnouncedFiles(announcements, self._removed)))
        self._summary.add(done)
        return done

    def _postpone(self, messages: Sequence[Message], unsettled: Mapping[str, Unsettled]) -> None:
        """Let messages wait for as long as an object of theirs is known to need."""
        for message in messages:
            waits = [unsettled[one.url].again_in for one in message.announcements if one.url in unsettled]
            again_in = max((wait for wait in waits if wait is not None), default=None)
            if again_in is not None:
                self._source.hide([message], again_in)

    def _remember(self, announcements: Sequence[Announcement]) -> None:
        for one in announcements:
            if not one.created:
                self._removed[one.url] = None
        while len(self._removed) > _REMEMBERED:
            del self._removed[next(iter(self._removed))]

    def _persistently(self, work: Callable[[], T]) -> T:
        """Repeat the work until it meets no transient fault. Messages stay hidden from other consumers meanwhile."""
        attempt = 0
        while True:
            try:
                return work()
            except TransientError as error:
                if self._once:
                    raise
                pause = min(_LONGEST_PAUSE, 2.0**attempt)
                attempt += 1
                self._tell(Notice(f"will try again in a moment: {error}"))
                time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter

    def _tell(self, event: Event) -> None:
        for observer in self._observers:
            observer(event)

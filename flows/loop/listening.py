"""The loop that follows events: take messages, read what they announce, acknowledge those that are settled.

Like the drain loop, it runs directly and under Prefect. It knows event sources only by their protocol.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Protocol, TypeVar

from inkstream.flows.loop.planners import AnnouncedFiles, NewFiles, Planner
from inkstream.flows.loop.reporting import next_steps
from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Unsettled
from inkstream.tasks.progress import Event, MessagesTaken, Notice, Observer, Summary
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source.announced import ObjectPlace, place_of, skipped_announcements
from inkstream.tasks.source.event_source import Announcement, Message, held
from inkstream.tasks.source.opening import open_event_source, require_event_source

T = TypeVar("T")

_REMEMBERED = 10_000
"""How many announced removals are remembered, in case the object's creation is announced after its removal."""
_LAST_LOOK = timedelta(seconds=1)
_LONGEST_PAUSE = 30.0


class Drain(Protocol):
    """A function that reads what a planner decides."""

    def __call__(self, planner: Planner) -> Summary:
        """Return what was committed. Raises as `inkstream.flows.loop.drain.StreamRun.drain` does."""


class Listener:
    """Follows the event source of a stream. Each listener listens once.

    Args:
        config: The stream's configuration.
        drain: Reads what a planner decides.
        warm_up: Called before the first wait for a message, so that the workers are ready for it.
        observers: Called with each event.

    Raises:
        ConfigError: If no event source is configured, or it cannot announce files of the stream's source.
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
        """Follow the events until interrupted.

        Args:
            once: Stop as soon as the event source is empty.
            max_batches: Stop after this many committed batches; batches that were announced together are all finished.

        Raises:
            ConfigError: If the configuration cannot be run.
            EnvironmentFault: If the machine lacks something.
            TransientError: With `once`, if the work should be tried again later; otherwise it is retried here.
        """
        self._once = once
        try:
            self._warn_without_dead_letters()
            self._follow(max_batches)
        finally:
            self._source.close()
        self._summary.next_steps = next_steps(self._config, self._summary, expects_failures=False)
        return self._summary

    def _warn_without_dead_letters(self) -> None:
        if not self._source.has_dead_letters():
            self._tell(
                Notice(
                    f"the queue {self._source.url} has no dead-letter queue: messages that cannot be settled are "
                    "delivered again until they expire; give it one (in SQS, with a redrive policy)"
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
        """List the source to find files whose events were lost."""
        interval = self._config.events.backfill_interval
        assert interval is not None
        begun = time.monotonic()
        done = self._persistently(lambda: self._drain(NewFiles()))
        self._summary.add(done)
        self._summary.skipped = deepcopy(done.skipped)  # a listing counts all files; events add to it
        self._list_at = begun + interval.total_seconds()

    def _work_off(self, messages: Sequence[Message]) -> None:
        unreadable = {message.id: message.problem for message in messages if message.problem is not None}
        readable = [message for message in messages if message.problem is None]
        self._remember([one for message in readable for one in message.announcements])
        with held(self._source, readable, self._visibility):
            done = self._drain_announced(readable)
            announced = [one for message in readable for one in message.announcements]
            skipped = skipped_announcements(self._config, announced)
            skipped.merge(done.skipped)
            self._summary.skipped.merge(skipped)
            reasons = {**{url: one.why for url, one in done.unsettled.items()}, **done.left_out}
            settled = [m for m in readable if not any(one.url in reasons for one in m.announcements)]
            self._source.acknowledge(settled)
        self._postpone(readable, done.unsettled)
        self._tell(MessagesTaken(len(messages), len(settled), unreadable, reasons, skipped))

    def _drain_announced(self, messages: Sequence[Message]) -> Summary:
        # A sink in the same bucket announces its own objects too; the store need not be asked for those.
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
        """Hide messages for as long as one of their objects is known to need."""
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
        """Repeat the work until it raises no transient fault. Messages stay hidden from other consumers meanwhile."""
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

"""The loop that follows S3 events: take messages, drain what they announce, delete those that are settled.

Plain Python, as the drain loop is: the same runs directly and under Prefect.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol, TypeVar

from inkstream.flows.loop.planners import AnnouncedFiles, NewFiles, Planner
from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.progress import Event, MessagesTaken, Notice, Observer, Summary
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source.notifications import Announcement, Belongs, belongs, read_message, require_bucket
from inkstream.tasks.source.sqs import Message, Queue

T = TypeVar("T")

_REMEMBERED = 10_000
"""Removals that are kept in mind, for creations that are announced after them."""
_LAST_LOOK = timedelta(seconds=1)
_LONGEST_PAUSE = 30.0


class Do(Protocol):
    """Drains what a planner decides."""

    def __call__(self, planner: Planner) -> Summary:
        """Raises as `inkstream.flows.loop.drain.StreamRun.drain` does."""


class Listener:
    """Follows the queue of a stream's source.

    Args:
        config: The stream's configuration.
        do: Drains what a planner decides.
        warm_up: Called before the first wait for a message, so that the workers are there when it comes.
        observers: Who is told what happens.

    Raises:
        ConfigError: If no queue is given, or the source is on no S3.
        EnvironmentFault: If the queue cannot be reached with what this machine has.
    """

    def __init__(
        self, config: StreamConfig, do: Do, warm_up: Callable[[], object], observers: Sequence[Observer] = ()
    ) -> None:
        self._config = config
        self._queue = Queue(require_bucket(config), config.events.visibility_timeout)
        self._do = do
        self._warm_up = warm_up
        self._observers = observers
        self._removed: dict[str, None] = {}
        self._once = False
        self._list_at: float | None = time.monotonic() if config.events.backfill_interval else None
        self._summary = Summary(table=open_sink(config.sink).url)

    def listen(self, *, once: bool = False, max_batches: int | None = None) -> Summary:
        """Works until it is interrupted.

        Args:
            once: End as soon as the queue has no message to give.
            max_batches: End when so many batches are committed, or a few more that were announced together.

        Raises:
            ConfigError: If the configuration cannot be run.
            EnvironmentFault: If the machine lacks something.
            TransientError: With `once`, if the work should be tried again later; else it is tried again here.
        """
        self._once = once
        if self._queue.dead_letter_url() is None:
            self._tell(
                Notice(
                    f"the queue {self._queue.url} has no dead-letter queue: messages that cannot be settled come again "
                    "until they expire; give it a redrive policy"
                )
            )
        warm = False
        while max_batches is None or self._summary.batches < max_batches:
            if self._list_at is not None and time.monotonic() >= self._list_at:
                self._list()
            if not warm and not once:
                self._persistently(self._warm_up)
                warm = True
            messages = self._persistently(self._receive)
            if messages:
                self._work_off(messages)
            elif once:
                break
        return self._summary

    def _receive(self) -> list[Message]:
        wait = self._config.events.wait
        if self._once:
            wait = min(wait, _LAST_LOOK)
        if self._list_at is not None:
            wait = min(wait, timedelta(seconds=max(0.0, self._list_at - time.monotonic())))
        return self._queue.receive(self._config.trigger.max_files_per_trigger, wait)

    def _list(self) -> None:
        """Finds what events have lost: the listing is what is true."""
        interval = self._config.events.backfill_interval
        assert interval is not None
        begun = time.monotonic()
        self._summary.add(self._persistently(lambda: self._do(NewFiles())))
        self._list_at = begun + interval.total_seconds()

    def _work_off(self, messages: Sequence[Message]) -> None:
        read: dict[str, list[Announcement]] = {}
        unreadable: dict[str, str] = {}
        for message in messages:
            try:
                read[message.id] = read_message(message.body)
            except ValueError as error:
                unreadable[message.id] = str(error)
        self._remember([one for group in read.values() for one in group])
        # A sink in the same bucket announces more objects than the source: nothing is asked for those.
        config = self._config
        announcements = [
            one for group in read.values() for one in group if belongs(config, one.path) is not Belongs.LEFT
        ]
        planner = AnnouncedFiles(announcements, self._removed)
        readable = {message.id: message for message in messages if message.id in read}
        with self._queue.held([*readable.values()]):
            if announcements:
                done = self._persistently(lambda: self._do(planner))
                self._summary.add(done)
                left = {**{url: one.why for url, one in planner.unsettled.items()}, **done.left_out}
            else:
                left = {}
            settled = [m for id, m in readable.items() if not any(one.url in left for one in read[id])]
            self._queue.delete(settled)
        for id, message in readable.items():
            pauses = [planner.unsettled[one.url].again_in for one in read[id] if one.url in planner.unsettled]
            again_in = max((pause for pause in pauses if pause is not None), default=None)
            if again_in is not None:
                self._queue.delay(message, again_in)
        self._tell(MessagesTaken(len(messages), len(settled), unreadable, left))

    def _remember(self, announcements: Sequence[Announcement]) -> None:
        for one in announcements:
            if not one.created:
                self._removed[one.url] = None
        while len(self._removed) > _REMEMBERED:
            del self._removed[next(iter(self._removed))]

    def _persistently(self, work: Callable[[], T]) -> T:
        """Works until no fault of the moment comes between; messages stay hidden from others meanwhile."""
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

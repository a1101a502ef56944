"""`StreamingQuery`: a handle on a stream that runs in the background, like Spark's."""

from __future__ import annotations

import threading
import time
import uuid
from collections import deque
from typing import Any, Protocol

from inkstream.flows.loop.drain import in_absolute_terms
from inkstream.flows.loop.planners import NewFiles, Planner
from inkstream.flows.loop.reporting import stream_id
from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.progress import BatchDone, Event, Observer, Summary

_KEPT = 100


class _ObservedDrain(Protocol):
    """A function that reads what a planner decides, and calls observers."""

    def __call__(self, planner: Planner, *, observers: tuple[Observer, ...], run_id: str) -> Summary:
        """Return what was committed."""


class _StopNow(BaseException):
    """Ends a run at its next event. Nothing is half-written: files without a commit are read again later."""


class StreamingQuery:
    """A stream that runs in a background thread. `Stream.start` returns it.

    After a transient fault, which is kept as `trouble`, the next trigger tries again; any other error ends the query.

    Args:
        config: The stream's configuration.
        drain: Reads what a planner decides.
        pause: Seconds from one trigger to the next; an overdue one starts at once.
        once: End after one trigger.
    """

    def __init__(self, config: StreamConfig, drain: _ObservedDrain, *, pause: float, once: bool) -> None:
        self.id = stream_id(in_absolute_terms(config))
        """The query's id, the same after a restart."""
        self.run_id = str(uuid.uuid4())
        """The id of this start; progress reports have it as `runId`."""
        self.name = config.stream
        """The stream's name."""
        self.trouble: TransientError | None = None
        """The transient fault of the last trigger; None if there was none."""
        self._drain = drain
        self._pause = pause
        self._once = once
        # RLock is written in C and entered directly: an interrupt in `Condition.__enter__` would leave it locked.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._stopping = False
        self._ended = False
        self._asked = 0
        self._served = 0
        self._error: BaseException | None = None
        self._progress: deque[dict[str, Any]] = deque(maxlen=_KEPT)
        # A daemon, so that a notebook or script that ends without stop() does not hang.
        self._thread = threading.Thread(target=self._run, name=f"inkstream-{self.name}", daemon=True)
        self._thread.start()

    @property
    def is_active(self) -> bool:
        """Whether the query still runs."""
        return not self._ended

    @property
    def recent_progress(self) -> list[dict[str, Any]]:
        """The reports of the last 100 batches, oldest first, as `run --json` prints them."""
        with self._lock:
            return list(self._progress)

    @property
    def last_progress(self) -> dict[str, Any] | None:
        """The report of the last batch; None before the first."""
        return next(reversed(self.recent_progress), None)

    def exception(self) -> BaseException | None:
        """Return the error that ended the query; None while the query runs and after `stop`."""
        return self._error

    def process_all_available(self, timeout: float | None = None) -> bool:
        """Trigger at once, and wait until all files that are in the source now are committed.

        Args:
            timeout: Seconds to wait at most; without a limit when not given.

        Returns:
            Whether they are committed; False after a timeout, or if the query was stopped.

        Raises:
            InkstreamError: The error that ended the query.
        """
        with self._lock:
            self._asked += 1
            mine = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._served >= mine or self._ended, timeout)
            served = self._served >= mine
        if not served and self._error is not None:
            raise self._error
        return served

    def await_termination(self, timeout: float | None = None) -> bool:
        """Wait until the query ends.

        Args:
            timeout: Seconds to wait at most; without a limit when not given.

        Returns:
            Whether it has ended.

        Raises:
            InkstreamError: The error that ended the query.
        """
        self._wait_for_end(timeout)
        if not self.is_active and self._error is not None:
            raise self._error
        return not self.is_active

    def stop(self) -> None:
        """Stop the query at its next event, such as a finished page range, and wait for it. What is committed stays."""
        with self._lock:
            self._stopping = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._wait_for_end(None)

    def _wait_for_end(self, timeout: float | None) -> None:
        """Wait until the query has ended. After an interrupt in `Thread.join`, Python 3.11 takes a thread for ended."""
        with self._lock:
            self._changed.wait_for(lambda: self._ended, timeout)

    def _run(self) -> None:
        try:
            while not self._stopping:
                due = time.monotonic() + self._pause
                asked = self._trigger()
                if self._once:
                    break
                self._wait(due, asked)
        except _StopNow:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again for those who wait
            self._error = error
        finally:
            with self._lock:
                self._ended = True
                self._changed.notify_all()

    def _wait(self, due: float, asked: int) -> None:
        """Wait until the next trigger is due or asked for, or the query is stopped."""
        with self._lock:
            self._changed.wait_for(lambda: self._stopping or self._asked > asked, max(0.0, due - time.monotonic()))

    def _trigger(self) -> int:
        """Run once, and return the number of requests that had been made when it began."""
        with self._lock:
            asked = self._asked
        try:
            summary = self._drain(NewFiles(), observers=(self._observe,), run_id=self.run_id)
        except TransientError as error:
            if self._once:
                raise
            self.trouble = error
            return asked
        self.trouble = None
        if not summary.left_out:
            with self._lock:
                self._served = asked
                self._changed.notify_all()
        return asked

    def _observe(self, event: Event) -> None:
        if isinstance(event, BatchDone):
            with self._lock:
                self._progress.append(event.progress)
        if self._stopping:
            raise _StopNow

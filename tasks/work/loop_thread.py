"""Running Dask's event loop in its own thread, where interrupts do not arrive.

Python raises KeyboardInterrupt in the main thread, between any two bytecodes; the handler of SIGTERM does the same.
`distributed` does not handle that safely:

- `distributed.utils.sync`, interrupted before its coroutine starts, makes tornado print the traceback of a NameError,
  since https://github.com/dask/distributed/pull/5758.
- A `Future` that is interrupted while it is created or released prints a traceback, and the interrupt is lost.
- A `threading.Event` that is interrupted while it takes its lock never releases it, and the loop waits for it forever.

So Dask's objects stay in this thread. The main thread submits work and waits in `SimpleQueue.get`, which is written in
C and safe to interrupt. Each wait is short, because an interrupt that arrives just before a wait begins does not end
it.
"""

from __future__ import annotations

import _thread
import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, Generic, NoReturn, TypeVar

from inkstream.tasks.work.interrupts import block_interrupts

T = TypeVar("T")

Outcome = Callable[[], T]
"""A function that returns a result or raises an error, in the thread that waited for it."""
_WAIT_SECONDS = 1.0
"""The longest delay of an interrupt that arrives just before a wait."""


@contextmanager
def open_in_loop_thread(opening: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """Open an asynchronous context manager in a new thread with a loop, yield its value, and close it there.

    An interrupt cancels the opening. It does not cancel the closing: a second interrupt ends the wait for it, and the
    thread continues. The thread is a daemon. The terminal's Ctrl-C does not reach the processes that it starts.

    Args:
        opening: Returns the context manager; called in the new thread.
    """
    thread = _LoopThread(opening)
    try:
        thread.begin()
        yield _next(thread.opened)()
    except BaseException:
        with suppress(Exception):  # must not hide the first error, especially an interrupt
            thread.end()
        raise
    thread.end()


class _LoopThread(Generic[T]):
    """A thread with a loop that opens a context manager, keeps it open until `end`, and closes it.

    Args:
        opening: Returns the context manager.
    """

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[T]]) -> None:
        self.opened: SimpleQueue[Outcome[T]] = SimpleQueue()
        self._opening = opening
        self._closed: SimpleQueue[Outcome[None]] = SimpleQueue()
        self._begun = False
        self._ident: int | None = None
        self._ending = False
        self._cancelled = False
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[None]] | None = None

    def begin(self) -> None:
        """Start the thread."""
        _thread.start_new_thread(self._start, ())
        self._begun = True

    def end(self) -> None:
        """Close the context manager and wait until it is closed. Raises whatever the closing raises.

        Garbage collection may call this in the loop's own thread, or after the interpreter has stopped its daemons;
        then there is no wait.
        """
        self._ending = True
        running = self._running
        if running is not None:
            with suppress(RuntimeError):  # the loop is closed already
                running[0].call_soon_threadsafe(self._cancel)
        if self._begun and self._ident != threading.get_ident() and not sys.is_finalizing():
            _next(self._closed)()

    def _start(self) -> None:
        """Start the thread from another one: `Thread.start` waits on an Event, which is not safe to interrupt."""
        try:
            threading.Thread(target=self._run, name="Dask loop", daemon=True).start()
        except RuntimeError as error:  # the system has no threads left
            self.opened.put(_raising(error))
            self._closed.put(_nothing)

    def _run(self) -> None:
        self._ident = threading.get_ident()
        closed: Outcome[None] = _nothing
        try:
            block_interrupts()
            asyncio.run(self._live())
        except asyncio.CancelledError:
            self.opened.put(_raising(CancelledError()))
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            closed = _raising(error)
            self.opened.put(closed)  # only read if it is the first
        self._running = None
        self._closed.put(closed)

    async def _live(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running = asyncio.get_running_loop(), task
        if self._ending:
            self._cancel()
        async with self._opening() as resource:
            self.opened.put(lambda: resource)
            await asyncio.Event().wait()

    def _cancel(self) -> None:
        if self._running is not None and not self._cancelled:
            self._cancelled = True
            self._running[1].cancel()


def on_loop(loop: asyncio.AbstractEventLoop, function: Callable[[], Awaitable[T]]) -> T:
    """Call a function on the loop of another thread, await it there, and return the result.

    An interrupt cancels the function and is raised at once.

    Args:
        loop: The running loop.
        function: Called in the loop's thread.

    Raises:
        RuntimeError: If the loop is closed.
        concurrent.futures.CancelledError: If the function was cancelled on the loop.
    """
    ended: SimpleQueue[Outcome[T]] = SimpleQueue()
    tasks: list[asyncio.Task[T]] = []

    async def call() -> T:
        return await function()

    def begin() -> None:
        tasks.append(loop.create_task(call()))
        tasks[0].add_done_callback(end)

    def end(task: asyncio.Task[T]) -> None:
        tasks.clear()  # here, because it runs finalizers: in the main thread, an interrupt in them would be lost
        if task.cancelled():
            ended.put(_raising(CancelledError()))
        elif error := task.exception():
            ended.put(_raising(error))
        else:
            result = task.result()
            ended.put(lambda: result)

    def cancel() -> None:
        for task in tasks:
            task.cancel()

    try:
        loop.call_soon_threadsafe(begin)
        outcome = _next(ended)
    except BaseException:
        loop.call_soon_threadsafe(cancel)  # runs after `begin`, whenever the interrupt came
        raise
    return outcome()


def on_loop_of(client: Any, function: Callable[[], Awaitable[T]]) -> T:
    """Call `on_loop` with the loop of a `distributed.Client`, where the client's blocking methods are coroutines."""
    return on_loop(client.loop.asyncio_loop, function)


def _next(outcomes: SimpleQueue[Outcome[T]]) -> Outcome[T]:
    """Wait for an outcome, in short waits so that no interrupt is missed for long."""
    while True:
        with suppress(Empty):
            return outcomes.get(timeout=_WAIT_SECONDS)


def _nothing() -> None:
    """Return no result: the outcome of closing without an error."""


def _raising(error: BaseException) -> Callable[[], NoReturn]:
    def outcome() -> NoReturn:
        raise error

    return outcome

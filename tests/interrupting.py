"""Interrupts the main thread at moments that a test chooses."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


@contextmanager
def default_interrupts() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, even if the program that runs the tests handles it differently."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def interrupt_main_thread() -> None:
    """Send SIGINT to the main thread, from any thread."""
    ident = threading.main_thread().ident
    assert ident is not None
    signal.pthread_kill(ident, signal.SIGINT)


_WAITING = {"wait", "_wait_for_tstate_lock", "_next"}
"""Functions that wait for a lock: those of `threading`, also before Python 3.13, and our own."""


def interrupt_while(function: str, *, waiting: bool = False) -> None:
    """Send SIGINT when the main thread is in a function or its callees. Call this from another thread.

    Args:
        function: The function's name.
        waiting: Whether the main thread must also wait for a lock in there.
    """
    while function not in (stack := _main_stack()) or (waiting and stack[0] not in _WAITING):
        time.sleep(0.001)
    interrupt_main_thread()


def _main_stack() -> list[str]:
    """Return the names of the functions that the main thread is in, innermost first."""
    ident = threading.main_thread().ident
    assert ident is not None
    frame: FrameType | None = sys._current_frames()[ident]
    names = []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    return names


def interrupt_before_it_begins(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Make a call that waits for another thread's loop, and interrupt it before the loop begins its work.

    Raises:
        KeyboardInterrupt: If the call raises it.
    """
    over = threading.Event()
    held = loop.call_soon_threadsafe(_hold, loop, over)
    try:
        call()
    finally:
        over.set()
        held.cancel()


def _hold(loop: Any, over: threading.Event) -> None:
    # Wait until the call has queued its work on the loop, which this callback blocks, and waits for it.
    while not (loop._ready and _main_stack()[0] in _WAITING):
        if over.is_set():
            return
        time.sleep(0.001)
    interrupt_main_thread()
    over.wait(60)


def interrupt_at_each_step(call: Callable[[], object]) -> Iterator[int]:
    """Repeat a call, interrupted one bytecode later each time, until it ends before the interrupt.

    Yields:
        The number of the bytecode, after each interrupted call.
    """
    step = 0
    while _interrupted(call, step):
        yield step
        step += 1


def _interrupted(call: Callable[[], object], step: int) -> bool:
    left = step
    over = False

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left, over
        frame.f_trace_opcodes = True
        if event == "opcode" and not over:
            over = not left
            left -= 1
            if over:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    try:
        sys.settrace(trace)
        call()
    except KeyboardInterrupt:
        assert over
        return True
    finally:
        sys.settrace(before)
    assert not over, "an interrupt was lost"
    return False

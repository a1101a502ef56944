"""Limiting Ctrl-C to the process that it is meant for."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


def block_interrupts() -> set[int]:
    """Block SIGINT in this thread, and in the threads and processes that it starts from now on.

    A terminal sends SIGINT to every process of the foreground group. Threads and processes inherit the signal mask of
    the thread that starts them, so those started now never see it, and neither do those that they start later. We end
    them ourselves, in order.

    Returns:
        The signals that were blocked before.
    """
    # If it started later, multiprocessing's resource tracker would unblock SIGINT in the thread that starts it.
    resource_tracker.ensure_running()
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}))


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Block the terminal's Ctrl-C for the processes and threads that are started inside the block.

    An interrupt of this process waits for the end of the block, unless the process has another thread, which then
    receives it.
    """
    before = block_interrupts()
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def lost_interrupts_sent_again() -> Iterator[None]:
    """Send interrupts that arrive inside a finalizer again, while the block runs.

    Python cannot raise KeyboardInterrupt out of a `__del__` or a callback of the garbage collection: it prints the
    traceback and continues. Use this in the main thread of a program, not in a library, because it sets a hook for the
    whole process.
    """
    before = sys.unraisablehook
    main = threading.get_ident()

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as in a shell script's background processes
            number = signal.SIGTERM if ignored else signal.SIGINT
            # From another thread: if sent from here, it would be raised here and be lost again.
            _thread.start_new_thread(signal.pthread_kill, (main, number))
        else:
            before(unraisable)

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = before

"""Keeping Ctrl-C to the process it is meant for."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Lets helpers be started that the terminal's Ctrl-C does not reach.

    A terminal sends SIGINT to every process of the foreground group. Threads and processes inherit the signal mask of
    the thread that starts them, so those started inside never see it, and neither do those that they start later: we
    end them ourselves, in order. An interrupt of our own that comes meanwhile is delivered when the block ends.
    """
    # Started later, multiprocessing's tracker would unblock SIGINT in the thread that happens to start it.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

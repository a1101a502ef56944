"""The observers and workers that flow runs of this process share.

Neither can be a flow parameter, because parameters travel through the Prefect API as JSON. This module is separate
because Prefect pickles a served flow with the globals that it names, and a context variable cannot be pickled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from inkstream.flows.loop.workers import Workers
from inkstream.tasks.progress import Observer, Summary


@dataclass(frozen=True, slots=True)
class Watch:
    """What the caller of a flow shares with its run.

    Attributes:
        observers: Called with each event.
        workers: Workers that exist already; None if the run opens its own.
        run_id: The run's id in progress reports; None for a new one.
        summaries: The summaries of the flow runs so far.
    """

    observers: Sequence[Observer] = ()
    workers: Workers | None = None
    run_id: str | None = None
    summaries: list[Summary] = field(default_factory=list)


_watch: ContextVar[Watch | None] = ContextVar("inkstream_watch", default=None)


def current_watch() -> Watch:
    """Return the watch of the current context; if there is none, one without observers and workers."""
    return _watch.get() or Watch()


@contextmanager
def watching(observers: Sequence[Observer], workers: Workers | None, run_id: str | None = None) -> Iterator[Watch]:
    """Let flow runs inside the block call observers, and use workers that exist already."""
    watch = Watch(observers, workers, run_id)
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)

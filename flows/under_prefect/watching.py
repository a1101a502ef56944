"""Who watches the flow runs of this process, and the workers they may use.

Neither can be a flow parameter, which travels through the Prefect API as JSON. This is a module of its own because
Prefect pickles a served flow's function with the globals it names, and a context variable cannot be pickled.
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
    """What a flow run started here takes part in.

    Attributes:
        observers: Who is told what happens.
        workers: Workers that are already there, or None for workers of the run's own.
        run_id: What progress reports say of the run, or None for one of its own.
        summaries: Gets the summary of each flow run.
    """

    observers: Sequence[Observer] = ()
    workers: Workers | None = None
    run_id: str | None = None
    summaries: list[Summary] = field(default_factory=list)


_watch: ContextVar[Watch | None] = ContextVar("inkstream_watch", default=None)


def current_watch() -> Watch:
    """Returns the watch of the caller's context; one that watches nothing where there is none."""
    return _watch.get() or Watch()


@contextmanager
def watching(observers: Sequence[Observer], workers: Workers | None, run_id: str | None = None) -> Iterator[Watch]:
    """Lets flow runs started inside tell observers what happens and use workers that are already there."""
    watch = Watch(observers, workers, run_id)
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)

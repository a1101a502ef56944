"""`ocr_stream`, the Prefect flow: the drain loop with each step as a task.

About four task runs a batch. Pages are Dask's business, not Prefect's: see docs/decisions/0002.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.drain import StreamRun, Workers
from tasks.config import StreamConfig
from tasks.progress import Observer, Summary

T = TypeVar("T")

_watching: ContextVar[tuple[Sequence[Observer], Workers | None, list[Summary]] | None] = ContextVar(
    "inkstream_watching", default=None
)


@contextmanager
def watching(observers: Sequence[Observer], workers: Workers | None) -> Iterator[list[Summary]]:
    """Lets flow runs started inside tell observers what happens and use workers that are already there.

    Neither can be a flow parameter: parameters travel through the Prefect API as JSON.

    Yields:
        A list that gets the summary of each flow run.
    """
    summaries: list[Summary] = []
    token = _watching.set((observers, workers, summaries))
    try:
        yield summaries
    finally:
        _watching.reset(token)


def run_as_task(name: str, label: str, call: Callable[[], T]) -> T:
    """The `StepRunner` that makes each step a Prefect task run.

    The step takes no parameters and its result is not persisted, so Prefect neither hashes nor copies a batch.
    """

    @task(name=name, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)
    def step() -> T:
        return call()

    return step()


@flow(name="ocr_stream", flow_run_name="{config.stream}", persist_result=False, validate_parameters=True)
def ocr_stream(config: StreamConfig) -> dict[str, Any]:
    """Streams new documents into a versioned table of text, each page exactly once.

    Args:
        config: The stream: source, trigger, pipeline, sink, execution.

    Returns:
        Counts of what was committed, and the table's version.
    """
    observers, workers, summaries = _watching.get() or ((), None, [])
    own = workers or Workers(config)
    try:
        summary = StreamRun(config, own, step=run_as_task, observers=observers).drain()
    finally:
        if workers is None:
            own.close()
    summaries.append(summary)
    return summary.to_json()

"""`ocr_stream`, the Prefect flow: the drain loop with each step as a task.

A task run to discover and three for each batch. Pages are Dask's business, not Prefect's: see docs/decisions/0002.

Annotations are evaluated here (no `from __future__ import annotations`): Prefect pickles a served flow with the globals
its body names, and a parameter's type that is only a string would be lost on the way.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from pydantic import Field

from flows.artifacts import RunArtifacts
from flows.drain import StreamRun, Workers
from flows.planners import NewFiles, Planner
from flows.watching import current_watch
from tasks.config import StreamConfig
from tasks.progress import Observer

T = TypeVar("T")
FileLimit = Annotated[int, Field(ge=1)]


def run_as_task(name: str, label: str, call: Callable[[], T]) -> T:
    """The `StepRunner` that makes each step a Prefect task run.

    The step takes no parameters and its result is not persisted, so Prefect neither hashes nor copies a batch.
    """

    @task(name=name, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)
    def step() -> T:
        return call()

    return step()


def drain_with_tasks(config: StreamConfig, planner: Planner) -> dict[str, Any]:
    """Runs the drain loop inside a flow, each step as a task, and returns its counts."""
    watch = current_watch()
    workers = watch.workers or Workers(config)
    observers: tuple[Observer, ...] = (*watch.observers, RunArtifacts(config.stream))
    try:
        run = StreamRun(config, workers, planner, step=run_as_task, observers=observers, run_id=watch.run_id)
        summary = run.drain()
    finally:
        if workers is not watch.workers:
            workers.close()
    watch.summaries.append(summary)
    return summary.to_json()


@flow(
    name="ocr_stream",
    flow_run_name="{config.stream}",
    persist_result=False,
    result_serializer="json",
    validate_parameters=True,
)
def ocr_stream(config: StreamConfig, limit: FileLimit | None = None) -> dict[str, Any]:
    """Streams new documents into a versioned table of text, each page exactly once.

    Args:
        config: The stream: source, trigger, pipeline, sink, execution.
        limit: Take so many new files at most; the others wait for a later run.

    Returns:
        Counts of what was committed and of files left for the next trigger, and the table's version.
    """
    return drain_with_tasks(config, NewFiles(limit))

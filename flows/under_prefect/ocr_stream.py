"""`ocr_stream`, the Prefect flow: the drain loop with each step as a task.

A task run to discover and three for each batch. Pages are Dask's business, not Prefect's: see docs/decisions/0002.

Annotations are evaluated here (no `from __future__ import annotations`): Prefect pickles a served flow with the globals
its body names, and a parameter's type that is only a string would be lost on the way. The form in the browser has the
parameters in their order here: what is said for one run before the long configuration.
"""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.context import TagsContext
from pydantic import Field

from inkstream.flows.loop.drain import StreamRun
from inkstream.flows.loop.planners import NewFiles, Planner
from inkstream.flows.loop.workers import Workers
from inkstream.flows.under_prefect.artifacts import RunArtifacts
from inkstream.flows.under_prefect.watching import current_watch
from inkstream.tasks.config import PresetName, StreamConfig, with_preset
from inkstream.tasks.progress import Observer

T = TypeVar("T")
FileLimit = Annotated[int, Field(ge=1)]


def run_as_task(name: str, label: str, call: Callable[[], T]) -> T:
    """The `StepRunner` that makes each step a Prefect task run.

    The step takes no parameters and its result is not persisted, so Prefect neither hashes nor copies a batch.
    """

    @task(name=name, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)
    def step() -> T:
        return call()

    # A run's tags are not its tasks': Prefect asks the server for a concurrency slot for each tag of a task run.
    with TagsContext(current_tags=set()):
        try:
            return step()
        except Exception as error:
            # A signal that comes before the task run is made: Prefect fails to write it down, and the run would be
            # Failed instead of Crashed.
            signal = error.__context__
            if signal is None or isinstance(signal, Exception):
                raise
            raise signal from error


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
def ocr_stream(
    limit: FileLimit | None = None, preset: PresetName | None = None, *, config: StreamConfig
) -> dict[str, Any]:
    """Streams new documents into a versioned table of text, each page exactly once.

    Args:
        limit: Take so many new files at most; the others wait for a later run.
        preset: Read with the pipeline of this preset instead of config's.
        config: The stream: source, trigger, pipeline, sink, execution.

    Returns:
        Counts of what was committed and of files left for the next trigger, and the table's version.
    """
    return drain_with_tasks(with_preset(config, preset), NewFiles(limit))

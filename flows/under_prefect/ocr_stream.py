"""`ocr_stream`, the Prefect flow: the drain loop with each step as a task.

One task run finds the files, and each batch has at least three more. Dask, not Prefect, runs the pages: see
docs/decisions/0002.

This module has no `from __future__ import annotations`: Prefect pickles a served flow with the globals that its body
names, and the type of a parameter would be lost if it were only a string. The form in the browser shows the parameters
in the order of the signature: first those of one run, then the long configuration.
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
from inkstream.flows.under_prefect.deployed import require_absolute_places
from inkstream.flows.under_prefect.watching import current_watch
from inkstream.tasks.config import PresetName, StreamConfig, with_preset
from inkstream.tasks.progress import Observer, Summary

T = TypeVar("T")
FileLimit = Annotated[int, Field(ge=1)]


def run_as_task(name: str, label: str, call: Callable[[], T]) -> T:
    """Call a step as a Prefect task run: the `StepRunner` of flows.

    The step takes no parameters and its result is not persisted, so Prefect neither hashes nor copies a batch.
    """

    @task(name=name, task_run_name=label, cache_policy=NO_CACHE, persist_result=False)
    def step() -> T:
        return call()

    # Tasks do not get the run's tags: Prefect asks the server for a concurrency slot for each tag of a task run.
    with TagsContext(current_tags=set()):
        try:
            return step()
        except Exception as error:
            # If a signal arrives before the task run is created, Prefect fails to record it, and the flow run would be
            # Failed instead of Crashed.
            signal = error.__context__
            if signal is None or isinstance(signal, Exception):
                raise
            raise signal from error


def drain_with_tasks(config: StreamConfig, planner: Planner) -> Summary:
    """Run the drain loop inside a flow, each step as a task.

    Raises:
        ConfigError: If the configuration cannot be run; see also `require_absolute_places`.
        InkstreamError: As `inkstream.flows.loop.drain.StreamRun.drain` does.
    """
    require_absolute_places(config)
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
    return summary


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
    """Stream new documents into a versioned table of text, each page exactly once.

    Args:
        limit: Read at most this many new files; the rest wait for a later run.
        preset: Read with the pipeline of this preset instead of config's.
        config: The stream: source, trigger, pipeline, sink, execution.

    Returns:
        Counts of what was committed and of files left for the next trigger, and the table's version.
    """
    return drain_with_tasks(with_preset(config, preset), NewFiles(limit)).to_json()

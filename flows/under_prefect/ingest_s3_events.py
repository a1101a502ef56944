"""`ingest_s3_events`, the Prefect flow: the loop that follows events, each step of each drain as a task.

Prefect evaluates the annotations, so this module has no `from __future__ import annotations`; see `ocr_stream`.
"""

from typing import Annotated, Any

from prefect import flow
from pydantic import Field

from inkstream.flows.loop.drain import StreamRun
from inkstream.flows.loop.listening import Listener
from inkstream.flows.loop.planners import Planner
from inkstream.flows.loop.workers import Workers
from inkstream.flows.under_prefect.artifacts import RunArtifacts
from inkstream.flows.under_prefect.deployed import require_absolute_places
from inkstream.flows.under_prefect.ocr_stream import run_as_task
from inkstream.flows.under_prefect.watching import current_watch
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.progress import Observer, Summary

BatchLimit = Annotated[int, Field(ge=1)]


@flow(
    name="ingest_s3_events",
    flow_run_name="{config.stream}",
    persist_result=False,
    result_serializer="json",
    validate_parameters=True,
)
def ingest_s3_events(
    once: bool = False, max_batches: BatchLimit | None = None, *, config: StreamConfig
) -> dict[str, Any]:
    """Stream documents as events announce them, each page exactly once, and list the source for lost events.

    Args:
        once: Stop as soon as the queue is empty; otherwise run until cancelled.
        max_batches: Stop after this many committed batches.
        config: The stream; `events.queue` is the queue to follow.

    Returns:
        Counts of what was committed and of files left for the next trigger, and the table's version.
    """
    require_absolute_places(config)
    watch = current_watch()
    workers = watch.workers or Workers(config)
    observers: tuple[Observer, ...] = (*watch.observers, RunArtifacts(config.stream))

    def drain(planner: Planner) -> Summary:
        try:
            run = StreamRun(config, workers, planner, step=run_as_task, observers=observers, run_id=watch.run_id)
            return run.drain()
        except BaseException:
            workers.close()
            raise

    try:
        summary = Listener(config, drain, workers.client, observers).listen(once=once, max_batches=max_batches)
    finally:
        if workers is not watch.workers:
            workers.close()
    watch.summaries.append(summary)
    return summary.to_json()

"""`maintain_sink`, the Prefect flow: a sink's upkeep with each step as a task.

Prefect evaluates the annotations, so this module has no `from __future__ import annotations`; see `ocr_stream`.
"""

from dataclasses import asdict
from typing import Any

from prefect import flow

from inkstream.flows.loop.maintain import Upkeep, maintain
from inkstream.flows.under_prefect.ocr_stream import run_as_task
from inkstream.tasks.config import MaintainOptions


@flow(
    name="maintain_sink",
    flow_run_name="{sink}",
    persist_result=False,
    result_serializer="json",
    validate_parameters=True,
)
def maintain_sink(sink: str, options: MaintainOptions = MaintainOptions()) -> list[dict[str, Any]]:  # noqa: B008 - frozen
    """Compact, checkpoint and vacuum the tables of a sink, and remove overlays that no row names.

    Args:
        sink: Folder or URL that holds the tables.
        options: How long data that is no longer needed is kept.

    Returns:
        What was done to each part of the sink.
    """
    return [asdict(part) for part in maintain(sink, options, step=run_as_task)]


def maintain_under_prefect(sink: str, options: MaintainOptions) -> list[Upkeep]:
    """Run the flow with the configured Prefect API, or with Prefect's embedded server."""
    from inkstream.flows.under_prefect.lost_runs import watched_runs
    from inkstream.flows.under_prefect.settings import reach_server

    reach_server()
    with watched_runs():
        return [Upkeep(**part) for part in maintain_sink(sink, options)]

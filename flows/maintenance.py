"""`maintain_sink`, the Prefect flow: a sink's upkeep with each step as a task.

Annotations are evaluated here (no `from __future__ import annotations`), see `flows.stream`.
"""

from dataclasses import asdict
from typing import Any

from prefect import flow

from flows.stream import run_as_task
from flows.upkeep import Upkeep, maintain
from tasks.config import MaintainOptions


@flow(
    name="maintain_sink",
    flow_run_name="{sink}",
    persist_result=False,
    result_serializer="json",
    validate_parameters=True,
)
def maintain_sink(sink: str, options: MaintainOptions = MaintainOptions()) -> list[dict[str, Any]]:  # noqa: B008 - frozen
    """Compacts, checkpoints and vacuums the tables of a sink, and removes overlays that no row names.

    Args:
        sink: Folder or URL that holds the tables.
        options: How long what is not needed any more is kept.

    Returns:
        What was done to each part of the sink.
    """
    return [asdict(part) for part in maintain(sink, options, step=run_as_task)]


def maintain_under_prefect(sink: str, options: MaintainOptions) -> list[Upkeep]:
    """Runs the flow against the API there is, or Prefect's embedded server."""
    from flows.lost_runs import watched_runs
    from flows.prefect_settings import reach_server

    reach_server()
    with watched_runs():
        return [Upkeep(**part) for part in maintain_sink(sink, options)]

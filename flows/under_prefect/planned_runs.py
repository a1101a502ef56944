"""Runs the Prefect flow of a planner.

A planner's fields have the names of its flow's parameters: a flow makes its planner from them, and `run_planner` makes
them from a planner. `config` is the stream, and `preset` belongs to the form alone.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from prefect import Flow

from inkstream.flows.loop.planners import FailedPages, NewFiles, OtherPipeline, Planner
from inkstream.flows.under_prefect.ocr_stream import ocr_stream
from inkstream.flows.under_prefect.retry_and_reprocess import reprocess, retry
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig

FLOWS: dict[str, Flow[..., dict[str, Any]]] = {
    NewFiles.kind: ocr_stream,
    FailedPages.kind: retry,
    OtherPipeline.kind: reprocess,
}
"""The flow of each kind of planner."""


def run_planner(config: StreamConfig, planner: Planner) -> None:
    """Run the flow of a planner.

    Raises:
        ConfigError: If the planner has no flow.
        InkstreamError: What the flow raises.
    """
    flow = FLOWS.get(planner.kind)
    if flow is None:
        raise ConfigError(
            f"the planner {planner.kind!r} has no Prefect flow; only {', '.join(FLOWS)} have one; "
            "run this planner with prefect='off'"
        )
    flow(config=config, **{field.name: getattr(planner, field.name) for field in fields(planner)})

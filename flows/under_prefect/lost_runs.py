"""A Prefect automation that marks killed flow runs as crashed.

If the process of a flow run is killed together with the one that started it, nothing reports the end: the run stays
Running forever and, under a concurrency limit, blocks the next one. Prefect's own answer is heartbeats, but by default
it sends them only every three minutes. So the automation watches only runs that send them more often: those with the
tag that Inkstream's deployments and commands set.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from inkstream.ocr_core.errors import ConfigError

if TYPE_CHECKING:
    from prefect.events import AutomationCore

AUTOMATION = "inkstream: mark lost runs as crashed"
TAG = "inkstream"
"""The tag of flow runs that send heartbeats every `HEARTBEAT_SECONDS`."""
HEARTBEAT_SECONDS = 30
"""The shortest interval that Prefect accepts."""
SILENCE = timedelta(seconds=75)
"""Long enough for two heartbeats to be missed before a run counts as lost."""


def run_tags(stream: str | None) -> list[str]:
    """Return the tags of a stream's runs, or of runs that belong to no stream."""
    return [TAG] if stream is None else [TAG, f"stream:{stream}"]


def lost_runs_automation(silence: timedelta = SILENCE) -> AutomationCore:
    """Return the automation. It acts when a heartbeat is followed by neither another one nor the end of the run.

    Args:
        silence: How long to wait for either.

    Raises:
        ConfigError: If a healthy run could be silent for that long.
    """
    from prefect.client.schemas.objects import StateType
    from prefect.events import AutomationCore, EventTrigger, Posture, ResourceSpecification
    from prefect.events.actions import ChangeFlowRunState

    if silence.total_seconds() <= HEARTBEAT_SECONDS:
        raise ConfigError(
            f"{silence.total_seconds():g} s is too short: a healthy run sends a heartbeat every {HEARTBEAT_SECONDS} s"
        )
    ends = [f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")]
    return AutomationCore(
        name=AUTOMATION,
        description="A flow run whose heartbeats stop was killed; without this it would stay Running forever.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *ends},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            match_related=ResourceSpecification({"prefect.resource.id": [f"prefect.tag.{TAG}"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=silence,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message="the process of this run was killed; what it committed stays, and the next run reads the rest",
            )
        ],
    )


def watch_lost_runs(silence: timedelta | None = None) -> str:
    """Make sure that the configured server has the automation.

    Args:
        silence: How long a run may be silent; None leaves an existing automation as it is.

    Returns:
        What was done: `created`, `renewed` or `there already`.

    Raises:
        ConfigError: If a healthy run could be silent for that long.
    """
    from prefect.client.orchestration import get_client

    automation = lost_runs_automation(silence or SILENCE)
    with get_client(sync_client=True) as client:
        found = client.read_automations_by_name(AUTOMATION)
        if found and silence is None:
            return "there already"
        if found:
            client.update_automation(found[0].id, automation)
            return "renewed"
        client.create_automation(automation)
        return "created"


@contextmanager
def watched_runs(stream: str | None = None) -> Iterator[None]:
    """Give the flow runs inside the block the tags and the heartbeats of watched runs."""
    from prefect import tags
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: HEARTBEAT_SECONDS}), tags(*run_tags(stream)):
        yield

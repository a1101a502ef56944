"""Flow runs that were killed: a Prefect automation marks them as crashed.

When the process that runs a flow is killed together with the one that started it, nobody is left to say so: the run
stays Running for ever and, under a concurrency limit, in the way of the next. Prefect's own answer is heartbeats.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prefect.events import AutomationCore

AUTOMATION = "inkstream: mark lost runs as crashed"
HEARTBEAT_SECONDS = 30
"""The shortest that Prefect takes."""
SILENCE = timedelta(seconds=75)
"""Two heartbeats may be late before a run is called lost."""


def lost_runs_automation() -> AutomationCore:
    """Returns the automation: a flow run's heartbeat, and then neither another nor an end for a while."""
    from prefect.client.schemas.objects import StateType
    from prefect.events import AutomationCore, EventTrigger, Posture, ResourceSpecification
    from prefect.events.actions import ChangeFlowRunState

    ends = [f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")]
    return AutomationCore(
        name=AUTOMATION,
        description="A flow run whose heartbeats stop was killed: without this it would stay Running for ever.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *ends},
            match=ResourceSpecification({"prefect.resource.id": ["prefect.flow-run.*"]}),
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=SILENCE,
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED,
                message="the process of this run was killed; what it committed stays, the next run does the rest",
            )
        ],
    )


def watch_lost_runs() -> bool:
    """Creates the automation on the configured server, unless one of its name is there.

    Returns:
        Whether it was created.
    """
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        if client.read_automations_by_name(AUTOMATION):
            return False
        client.create_automation(lost_runs_automation())
    return True

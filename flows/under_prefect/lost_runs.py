"""Flow runs that were killed: a Prefect automation marks them as crashed.

When the process that runs a flow is killed together with the one that started it, nobody is left to say so: the run
stays Running for ever and, under a concurrency limit, in the way of the next. Prefect's own answer is heartbeats. They
come every three minutes where nobody says otherwise, so only runs that are known to send them more often are watched:
those with the tag that our deployments and commands give them.
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
"""Of every flow run that sends heartbeats as often as said here."""
HEARTBEAT_SECONDS = 30
"""The shortest that Prefect takes."""
SILENCE = timedelta(seconds=75)
"""Two heartbeats may be late before a run is called lost."""


def run_tags(stream: str | None) -> list[str]:
    """Returns the tags of a stream's runs; without a stream, of those that belong to none."""
    return [TAG] if stream is None else [TAG, f"stream:{stream}"]


def lost_runs_automation(silence: timedelta = SILENCE) -> AutomationCore:
    """Returns the automation: a flow run's heartbeat, and then neither another nor an end for a while.

    Args:
        silence: How long that is.

    Raises:
        ConfigError: If a run that lives could be so silent.
    """
    from prefect.client.schemas.objects import StateType
    from prefect.events import AutomationCore, EventTrigger, Posture, ResourceSpecification
    from prefect.events.actions import ChangeFlowRunState

    if silence.total_seconds() <= HEARTBEAT_SECONDS:
        raise ConfigError(
            f"{silence.total_seconds():g} s is too short: a run that lives is heard of every {HEARTBEAT_SECONDS} s"
        )
    ends = [f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Cancelled", "Crashed")]
    return AutomationCore(
        name=AUTOMATION,
        description="A flow run whose heartbeats stop was killed: without this it would stay Running for ever.",
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
                message="the process of this run was killed; what it committed stays, the next run does the rest",
            )
        ],
    )


def watch_lost_runs(silence: timedelta | None = None) -> str:
    """Makes sure that the configured server has the automation.

    Args:
        silence: How long a run may be silent. None leaves an automation that is there as it is.

    Returns:
        What was done: `created`, `renewed` or `there already`.

    Raises:
        ConfigError: If a run that lives could be so silent.
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
    """Gives flow runs that are called inside the tags and the heartbeats of those that are watched."""
    from prefect import tags
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: HEARTBEAT_SECONDS}), tags(*run_tags(stream)):
        yield

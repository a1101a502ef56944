"""Which runs the automation for lost runs watches, and when it acts."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inkstream.flows.under_prefect.lost_runs import HEARTBEAT_SECONDS, SILENCE, lost_runs_automation, run_tags
from inkstream.ocr_core.errors import ConfigError


def trigger() -> Any:
    """Return the automation's trigger as the server reads it."""
    from prefect.server.events.schemas.automations import EventTrigger

    return EventTrigger.model_validate(lost_runs_automation().model_dump(mode="json")["trigger"])


@pytest.mark.parametrize(
    ("tags", "watched"),
    [(run_tags("letters"), True), (run_tags(None), True), ([], False), (["stream:letters", "other"], False)],
)
def test_the_automation_watches_only_runs_with_the_heartbeat_tag(tags: list[str], watched: bool) -> None:
    from prefect.server.events.schemas.events import ReceivedEvent

    heartbeat = ReceivedEvent(
        id=uuid.uuid4(),
        occurred=datetime.now(UTC),
        event="prefect.flow-run.heartbeat",
        resource={"prefect.resource.id": f"prefect.flow-run.{uuid.uuid4()}"},
        related=[{"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"} for tag in tags],
    )
    assert trigger().covers(heartbeat) == watched


def test_a_run_counts_as_lost_after_two_missed_heartbeats() -> None:
    assert trigger().within == SILENCE
    assert SILENCE.total_seconds() > 2 * HEARTBEAT_SECONDS


def test_a_silence_no_longer_than_the_heartbeat_is_refused() -> None:
    with pytest.raises(ConfigError, match="sends a heartbeat every 30 s"):
        lost_runs_automation(timedelta(seconds=HEARTBEAT_SECONDS))

"""Which runs the automation for lost runs watches, and when it acts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from inkstream.flows.under_prefect.lost_runs import HEARTBEAT_SECONDS, SILENCE, lost_runs_automation, run_tags
from inkstream.ocr_core.errors import ConfigError


def test_the_automation_watches_runs_by_their_heartbeat_tag() -> None:
    trigger = lost_runs_automation().model_dump(mode="json")["trigger"]
    (tag,) = trigger["match_related"]["prefect.resource.id"]
    assert tag.removeprefix("prefect.tag.") in run_tags("letters")
    assert tag.removeprefix("prefect.tag.") in run_tags(None)
    assert trigger["within"] == SILENCE.total_seconds() > 2 * HEARTBEAT_SECONDS


def test_a_silence_no_longer_than_the_heartbeat_is_refused() -> None:
    with pytest.raises(ConfigError, match="sends a heartbeat every 30 s"):
        lost_runs_automation(timedelta(seconds=HEARTBEAT_SECONDS))

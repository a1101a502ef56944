"""A short campaign of random kills; `make faults` runs the long one."""

from __future__ import annotations

import random
from pathlib import Path

from tests.faults.campaign import run_campaign, run_control


def test_random_kills_lose_nothing_and_duplicate_nothing(tmp_path: Path) -> None:
    random.seed(2026)
    outcome = run_campaign(tmp_path, kills=12, files=60, drivers=2)
    assert sum(outcome.kills.values()) == 12
    assert outcome.rows == 120
    assert (outcome.lost, outcome.duplicated, outcome.torn, outcome.wrong) == (0, 0, 0, 0)


def test_the_oracle_finds_the_duplicates_of_the_control(tmp_path: Path) -> None:
    outcome = run_control(tmp_path, kills=8, files=60)
    assert outcome.duplicated > 0
    assert outcome.lost == 0

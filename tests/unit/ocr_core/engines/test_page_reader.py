"""The pictures of a page share its time limit."""

from __future__ import annotations

import time

import pytest

from inkstream.ocr_core.engines.page_reader import TimeLimit


def test_a_time_limit_counts_down() -> None:
    limit = TimeLimit.from_now(60)
    assert 59 < limit.remaining <= 60
    assert limit.seconds == 60
    assert TimeLimit(60, time.monotonic() - 1).remaining == pytest.approx(-1, abs=0.5)

"""Readings survive the transfer between processes, and malformed ones are rejected."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from inkstream import Reading, ReadWord

READING = Reading((ReadWord("two", 80.0, 0.0, 0.4), ReadWord("words", 90.0, 0.5, 1.0)))


def test_text_and_confidence_of_a_reading_come_from_its_words() -> None:
    assert (READING.text, READING.confidence) == ("two words", 85)
    assert (Reading(()).text, Reading(()).confidence) == ("", None)


@pytest.mark.parametrize("reading", [READING, Reading(())])
def test_a_reading_survives_a_round_trip_as_a_list(reading: Reading) -> None:
    assert Reading.from_list(json.loads(json.dumps(reading.to_list()))) == reading


@pytest.mark.parametrize(
    "values", [5, [["a", 1, 0]], [["a", "x", 0, 1]], [["a", math.nan, 0, 1]], [["a", 1, 0, math.inf]]]
)
def test_malformed_readings_are_rejected(values: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        Reading.from_list(values)

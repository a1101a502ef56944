"""Durations as people write them and as JSON has them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig, build_config, format_duration, parse_duration

MINIMAL = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}


def test_durations_are_read_as_people_write_them() -> None:
    assert parse_duration("1.5h") == timedelta(minutes=90)
    assert build_config(MINIMAL, overrides=["source.max_file_age=7d"]).source.max_file_age == timedelta(days=7)
    assert build_config(MINIMAL, overrides=["source.max_file_age=PT5M"]).source.max_file_age == timedelta(minutes=5)
    with pytest.raises(ConfigError, match="not a duration"):
        parse_duration("fast")
    with pytest.raises(ConfigError, match=r"source.stability_delay: write a duration as .*\(given: 'soon'\)"):
        build_config(MINIMAL, overrides=["source.stability_delay=soon"])
    with pytest.raises(ConfigError, match=r"events\.wait"):
        build_config(MINIMAL, overrides=["events.wait=30s"])


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_a_duration_survives_formatting_and_parsing(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


def test_durations_are_formatted_as_people_write_them() -> None:
    given_as = ["500ms", "30s", "90s", "5m", "2h", "36h", "7d", "0s"]
    assert [format_duration(parse_duration(text)) for text in given_as] == given_as
    assert StreamConfig.model_json_schema()["$defs"]["SourceOptions"]["properties"]["stability_delay"]["format"] == (
        "duration"
    ), "so that the Prefect form shows a duration"

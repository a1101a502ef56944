"""A stream's options: its name, and sections that exclude each other."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_config

PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}
IN_MEMORY = {"source": {"url": "inbox"}, "sink": {"url": "memory://here"}}


@pytest.mark.parametrize("name", ["main", "Letters_2026.v1", "0", "a" * 64])
def test_stream_names_that_fit_in_a_url_are_accepted(name: str) -> None:
    assert build_config({**PLACES, "stream": name}).stream == name


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".hidden", "a b", "a" * 65])
def test_other_stream_names_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^stream: "):
        build_config({**PLACES, "stream": name})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({**IN_MEMORY, "pipeline": {"draw": {}}}, "pictures cannot be kept in a memory sink"),
        ({**IN_MEMORY, "source": {"url": "inbox", "clean_source": "delete"}}, "whose text is only in memory"),
        ({**PLACES, "execution": {"recognize_resources": {"GPU": 1}}}, "is for engines that read lines"),
    ],
)
def test_conflicting_sections_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_config(options)

"""Options of execution."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_config

PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}


@pytest.mark.parametrize(
    "option",
    [
        "workers=0",
        "pages_per_range=0",
        "window_per_worker=0",
        "max_read_attempts=0",
        "copies_mb=-1",
        "worker_wait_seconds=0",
        "recognize_resources={GPU: 0}",
        "limits.page_seconds=0",
    ],
)
def test_zero_and_negative_amounts_are_refused(option: str) -> None:
    name = option.partition("=")[0]
    with pytest.raises(ConfigError, match=rf"^execution\.{name}"):
        build_config(PLACES, overrides=[f"execution.{option}"])

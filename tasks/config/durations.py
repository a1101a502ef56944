"""Durations as people write them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from ocr_core.errors import ConfigError

_DURATION = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*$")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> timedelta:
    """Reads `500ms`, `30s`, `5m`, `2h` or `7d`.

    Raises:
        ConfigError: If it is none of these.
    """
    match = _DURATION.match(text)
    if match is None:
        raise ConfigError(f"{text!r} is not a duration; write 500ms, 30s, 5m, 2h or 7d")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) and _DURATION.match(value) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]

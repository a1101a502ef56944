"""Durations as people write them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from inkstream.ocr_core.errors import ConfigError

DURATION_PATTERN = r"^\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*$"
_DURATION = re.compile(DURATION_PATTERN)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration(text: str) -> timedelta:
    """Return the duration for a text such as `500ms`, `30s`, `5m`, `2h` or `7d`.

    Raises:
        ConfigError: If the text is not written like these.
    """
    match = _DURATION.match(text)
    if match is None:
        raise ConfigError(f"{text!r} is not a duration; write 500ms, 30s, 5m, 2h or 7d")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def format_duration(duration: timedelta) -> str:
    """Return a duration as text that `parse_duration` reads, in the largest unit that divides it."""
    microseconds = duration // timedelta(microseconds=1)
    for unit, seconds in reversed(_SECONDS.items()):
        size = round(seconds * 1_000_000)
        if microseconds and microseconds % size == 0:
            return f"{microseconds // size}{unit}"
    return f"{microseconds / 1_000_000:f}".rstrip("0").rstrip(".") + "s"


def _duration(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    if not isinstance(value, str):
        return read(value)
    if _DURATION.match(value):
        return read(parse_duration(value))
    try:
        return read(value)  # ISO 8601, as in JSON
    except ValidationError:
        raise PydanticCustomError("duration", "write a duration as 500ms, 30s, 5m, 2h or 7d") from None


Duration = Annotated[timedelta, WrapValidator(_duration)]

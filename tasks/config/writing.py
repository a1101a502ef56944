"""Writing a configuration as YAML that can be pasted back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

import yaml

from inkstream.tasks.config.durations import format_duration
from inkstream.tasks.config.stream import StreamConfig


def plain(config: StreamConfig, *, changed: bool = False) -> dict[str, Any]:
    """Return the options as a configuration file has them: mappings, lists, strings and numbers.

    Args:
        config: The configuration.
        changed: Leave out options that have their defaults.
    """
    written: dict[str, Any] = _plain(config.model_dump(exclude_defaults=changed))
    return written


def to_yaml(options: Mapping[str, Any]) -> str:
    """Return options as YAML, in their order."""
    return str(yaml.safe_dump(dict(options), sort_keys=False, allow_unicode=True))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, timedelta):
        return format_duration(value)
    return value.value if isinstance(value, Enum) else value

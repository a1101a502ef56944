"""The JSON schema of a configuration file, for editors."""

from __future__ import annotations

from typing import Any

from inkstream.tasks.config.durations import DURATION_PATTERN
from inkstream.tasks.config.stream import StreamConfig
from inkstream.tasks.presets import PRESETS


def editor_schema() -> dict[str, Any]:
    """Return the JSON schema of the file that `inkstream run CONFIG` reads, with Inkstream's own names.

    It is the schema of `StreamConfig`, with `preset` added and with durations as people write them.
    """
    schema = _with_durations(StreamConfig.model_json_schema())
    preset = {"description": "options to start from", "enum": list(PRESETS)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Inkstream configuration",
        "properties": {"preset": preset, **schema["properties"]},
    }


def _with_durations(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_durations(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("format") == "duration":
        written = {key: value for key, value in part.items() if key not in ("format", "default")}
        return {**written, "pattern": DURATION_PATTERN, "examples": ["500ms", "30s", "5m", "2h", "7d"]}
    return {key: _with_durations(value) for key, value in part.items()}

"""A configuration from its layers, and messages that say what is wrong with one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import yaml
from pydantic import ValidationError

from ocr_core.errors import ConfigError
from ocr_core.options import Options
from tasks.config.presets import PRESETS
from tasks.config.stream import StreamConfig


def build_config(
    document: Mapping[str, Any] | None = None, *, preset: str | None = None, overrides: Iterable[str] = ()
) -> StreamConfig:
    """Builds a configuration from its layers, later ones winning: preset, document, overrides.

    Args:
        document: The parsed YAML file; it may name a `preset:` itself.
        preset: A name from `PRESETS`; wins over the document's own.
        overrides: `a.b=value` strings, values read as YAML.

    Raises:
        ConfigError: With one line for each mistake, naming the nearest known key where a key is unknown.
    """
    layers = dict(document or {})
    name = preset or layers.pop("preset", None)
    layers.pop("preset", None)
    if name is not None and name not in PRESETS:
        raise ConfigError(f"unknown preset {name!r}{_nearest(str(name), PRESETS)}; there are: {', '.join(PRESETS)}")
    merged = _merge(PRESETS[name] if name else {}, layers)
    for override in overrides:
        merged = _merge(merged, _parse_override(override))
    try:
        return StreamConfig.model_validate(merged)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(item) for item in error.errors())) from None


def load_document(text: str, where: str) -> dict[str, Any]:
    """Parses a YAML configuration file's text.

    Raises:
        ConfigError: If it is not YAML, or not a mapping.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}: not valid YAML: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{where}: expected a mapping of options, found a {type(document).__name__}")
    return document


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def _parse_override(override: str) -> dict[str, Any]:
    key, separator, value = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"--set {override!r}: expected KEY=VALUE, such as --set trigger.max_files_per_trigger=4")
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        nested = value  # such as source.glob=*.pdf, where YAML sees an alias
    for part in reversed(key.strip().split(".")):
        nested = {part: nested}
    return dict(nested)


def _explain(item: Any) -> str:
    location = [str(part) for part in item["loc"]]
    path = ".".join(location)
    if item["type"] == "extra_forbidden":
        return f"{path}: unknown option{_nearest(location[-1], _known_keys(location[:-1]))}"
    if item["type"] == "missing":
        return f"{path}: required, and not given"
    return f"{path}: {item['msg']} (given: {item['input']!r})"


def _known_keys(location: list[str]) -> list[str]:
    model: type[Options] | None = StreamConfig
    for part in location:
        field = model.model_fields.get(part) if model else None
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, Options)), None)
    return list(model.model_fields) if model else []


def _nearest(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""

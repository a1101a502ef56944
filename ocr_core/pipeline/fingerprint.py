"""The `pipeline_id`: the fingerprint of the options and versions that a row was made with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from inkstream.ocr_core.engines.registry import BUILT_IN, FINDERS, engine_named, line_engine_of
from inkstream.ocr_core.engines.versions import HASH_DIGITS
from inkstream.ocr_core.options import Options, PipelineOptions
from inkstream.ocr_core.options.recognize import ROUTED, RecognizeOptions
from inkstream.ocr_core.pipeline.fingerprint_v1 import OPTIONAL, OPTIONS


def pipeline_id(options: PipelineOptions, versions: Mapping[str, str]) -> str:
    """Return the fingerprint of the options that change the output, and of the versions.

    The paths of models, the binding that calls an engine and time limits do not count; nor do the options of engines
    that are not used.

    Args:
        options: The pipeline.
        versions: From `engine_versions`.

    Returns:
        16 hexadecimal digits.

    Raises:
        ConfigError: If an engine is unknown.
    """
    output = _counted(options, OPTIONS)
    if output["detect"] is not None:
        for finder in FINDERS.values():
            _drop(output["detect"], finder.not_in_fingerprint)
    output["recognize"] = _of_engines_in_use(output["recognize"], options.recognize)
    text = json.dumps({"options": output, "versions": dict(versions)}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def _of_engines_in_use(recognize: dict[str, Any], options: RecognizeOptions) -> dict[str, Any]:
    """Return the options of `recognize` without those of unused engines, and without those that change no text."""
    lines = line_engine_of(options)
    used = {options.engine, lines.name} if lines else {options.engine}
    added = options.__pydantic_extra__ or {}
    for name in (*BUILT_IN, *(used & added.keys())):
        engine = engine_named(name)
        own = recognize if engine.options is RecognizeOptions else recognize.get(name, {})
        _drop(own, engine.not_in_fingerprint)
    unused = {name for name in (*BUILT_IN, *added) if name not in used or not recognize.get(name, True)}
    if options.engine != ROUTED:
        unused.add("routing")
    if lines is None:
        unused.add("lines")
    return {name: value for name, value in recognize.items() if name not in unused}


def _drop(section: dict[str, Any], names: frozenset[str]) -> None:
    for name in names:
        section.pop(name, None)


def _counted(options: Options, frozen: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return the options of a section that count: all of version 1, and newer ones that differ from their default.

    Args:
        options: The section.
        frozen: The options of version 1 in it, with their defaults.
        path: The section's path, with a dot at the end.
    """
    dumped = options.model_dump(mode="json")
    counted = {name: _frozen_value(options, dumped, name, default, path) for name, default in frozen.items()}
    for name in dumped.keys() - frozen.keys():
        value = getattr(options, name)
        field = type(options).model_fields.get(name)
        default = field.get_default(call_default_factory=True) if field else None
        if value != default:
            counted[name] = _counted(value, {}, "") if isinstance(value, Options) else dumped[name]
    return counted


def _frozen_value(options: Options, dumped: Mapping[str, Any], name: str, default: Any, path: str) -> Any:
    """Return the value of an option of version 1, or its default of that time if the option no longer exists."""
    if name not in dumped:
        return None if f"{path}{name}" in OPTIONAL else default
    value = getattr(options, name)
    return _counted(value, default, f"{path}{name}.") if isinstance(value, Options) else dumped[name]

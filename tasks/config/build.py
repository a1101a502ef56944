"""Building a configuration from its layers: preset, file, overrides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.options import Options
from inkstream.tasks.config.config_file import ConfigFile
from inkstream.tasks.config.events import EventOptions
from inkstream.tasks.config.mistakes import Mistake, Path, explain, nearest
from inkstream.tasks.config.normalise import Normalised, get, normalise
from inkstream.tasks.config.sink import MaintainOptions, SinkOptions
from inkstream.tasks.config.stream import StreamConfig
from inkstream.tasks.config.writing import plain
from inkstream.tasks.presets import PRESETS

AnyOptions = TypeVar("AnyOptions", bound=Options)


def build_config(
    options: Mapping[str, Any] | None = None, *, preset: str | None = None, overrides: Iterable[str] = ()
) -> StreamConfig:
    """Build a configuration from its layers: preset, options, overrides. Later layers win.

    Args:
        options: The content of a configuration file, which may name a `preset` itself. Spark OCR's names are accepted.
        preset: A name from `PRESETS`; wins over the one that the options name.
        overrides: `a.b=value` strings, with values read as YAML.

    Raises:
        ConfigError: If there are mistakes. The message has one line for each, with the nearest known key for an
            unknown one.
    """
    return build_from(ConfigFile("", dict(options or {}), {}), preset=preset, overrides=overrides)


def with_preset(config: StreamConfig, preset: str | None) -> StreamConfig:
    """Return the configuration with a preset's pipeline instead of its own; unchanged if `preset` is `None`.

    Raises:
        ConfigError: If the preset is unknown, or its pipeline does not fit the other options.
    """
    return config if preset is None else build_config({**plain(config), "pipeline": {}}, preset=preset)


def build_maintain_options(given: Mapping[str, Any]) -> MaintainOptions:
    """Build the options for maintaining a sink.

    Raises:
        ConfigError: If there are mistakes. The message has one line for each.
    """
    return _build(MaintainOptions, given, ())


def build_sink_options(given: Mapping[str, Any]) -> SinkOptions:
    """Build the options of a sink alone.

    Raises:
        ConfigError: If there are mistakes. The message has one line for each.
    """
    return _build(SinkOptions, given, ("sink",))


def build_event_options(given: Mapping[str, Any]) -> EventOptions:
    """Build the options of events alone.

    Raises:
        ConfigError: If there are mistakes. The message has one line for each.
    """
    return _build(EventOptions, given, ("events",))


def _build(kind: type[AnyOptions], given: Mapping[str, Any], section: Path) -> AnyOptions:
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        mistakes = [explain(item) for item in error.errors()]
        raise ConfigError("\n".join(str(replace(m, path=(*section, *m.path))) for m in mistakes)) from None


def build_from(config_file: ConfigFile, *, preset: str | None = None, overrides: Iterable[str] = ()) -> StreamConfig:
    """Build a configuration from a file, as `build_config` does.

    Raises:
        ConfigError: If there are mistakes. The message has one line for each, with its line number in the file.
    """
    built = examine(config_file, preset=preset, overrides=overrides)
    if isinstance(built, StreamConfig):
        return built
    raise ConfigError("\n".join(f"{config_file.where}:{m.line}: {m}" if m.line else str(m) for m in built))


def examine(
    config_file: ConfigFile, *, preset: str | None = None, overrides: Iterable[str] = ()
) -> StreamConfig | list[Mistake]:
    """Build a configuration, or return all its mistakes in the order of the file's lines."""
    file = normalise(config_file.options)
    file_preset = file.options.pop("preset", None)
    given = _parse_overrides(overrides)
    base, unknown = _preset_layer(preset or file_preset, at=() if preset else ("preset",))
    mistakes = [*unknown, *file.mistakes]
    try:
        config = StreamConfig.model_validate(_merge(_merge(base, file.options), given.options))
    except ValidationError as error:
        mistakes += [explain(item) for item in error.errors()]
    if not mistakes and not given.mistakes:
        return config
    placed = [_placed(mistake, config_file, file, given) for mistake in mistakes]
    return sorted([*placed, *given.mistakes], key=lambda mistake: mistake.line or 0)


def _preset_layer(name: Any, at: Path) -> tuple[Mapping[str, Any], list[Mistake]]:
    if name is None:
        return {}, []
    if isinstance(name, str) and name in PRESETS:
        return PRESETS[name], []
    close = nearest(str(name), PRESETS) or f"; there are: {', '.join(PRESETS)}"
    return {}, [Mistake(at, f"unknown preset {name!r}{close}")]


def _placed(mistake: Mistake, config_file: ConfigFile, file: Normalised, given: Normalised) -> Mistake:
    """Return the mistake with the name that the user wrote, and its line in the file."""
    path = mistake.path
    if get(given.options, path) is not None and path:
        return replace(mistake, path=given.written.get(path, path))
    written = file.written.get(path, path)
    return replace(mistake, path=written, line=config_file.line(written))


def _parse_overrides(overrides: Iterable[str]) -> Normalised:
    """Merge all `--set` values into one layer. The last value of an option wins, under whatever name it is set."""
    together = Normalised({})
    for override in overrides:
        try:
            layer = normalise(_parse_override(override))
        except ConfigError as error:
            layer = Normalised({}, mistakes=[Mistake((), str(error))])
        together = Normalised(
            _merge(together.options, layer.options),
            {**together.written, **layer.written},
            [*together.mistakes, *layer.mistakes],
        )
    return together


_PATTERNS = ("glob", "pathGlobFilter")
"""Options whose values may look like a mapping or a list of YAML."""


def _parse_override(override: str) -> dict[str, Any]:
    key, separator, value = override.partition("=")
    if not separator or not key.strip():
        raise ConfigError(f"--set {override!r}: expected KEY=VALUE, such as --set trigger.max_files_per_trigger=4")
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        nested = value  # such as source.glob=*.pdf: YAML would read an alias
    if key.strip().rpartition(".")[2] in _PATTERNS and isinstance(nested, dict | list):
        nested = value  # such as {a.pdf,b.pdf}, or [ab]
    for part in reversed(key.strip().split(".")):
        nested = {part: nested}
    return dict(nested)


def _merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged

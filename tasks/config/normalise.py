"""Translation of Spark OCR's option names into Inkstream's, before validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from inkstream.tasks.config.mistakes import Mistake, Path
from inkstream.tasks.config.spark_names import ALIASES


@dataclass(frozen=True, slots=True)
class Normalised:
    """A layer of a configuration with Inkstream's names.

    Attributes:
        options: The layer.
        written: For options that were moved, the path where the user wrote them, by the new path.
        mistakes: Options that could not be translated. They are left out of `options`.
    """

    options: dict[str, Any]
    written: dict[Path, Path] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)


def normalise(layer: Mapping[str, Any]) -> Normalised:
    """Return the layer with Spark OCR's names and values translated."""
    done = Normalised(_copy(layer))
    for alias in ALIASES:
        for place in alias.places:
            section = tuple(place.split(".")) if place else ()
            holder = _section(done.options, section)
            if holder is None or alias.name not in holder:
                continue
            value, written = holder.pop(alias.name), (*section, alias.name)
            target = tuple(alias.target.split("."))
            taken = get(done.options, target)
            if taken is not None:
                other = ".".join(done.written.get(target, target))
                done.mistakes.append(Mistake(written, f"is the same option as {other}, which is given too: keep one"))
                continue
            try:
                _put(done.options, target, alias.translate(value))
                done.written[target] = written
            except ValueError as error:
                done.mistakes.append(Mistake(written, str(error)))
    return done


def get(options: Mapping[str, Any], path: Path) -> tuple[Any] | None:
    """Return the value at a path, in a tuple of length 1; None if the path does not exist."""
    found: Any = options
    for part in path:
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return (found,)


def _copy(layer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copy(value) if isinstance(value, Mapping) else value for key, value in layer.items()}


def _section(options: dict[str, Any], path: Path) -> dict[str, Any] | None:
    found = get(options, path)
    return found[0] if found and isinstance(found[0], dict) else None


def _put(options: dict[str, Any], path: Path, value: Any) -> None:
    for part in path[:-1]:
        below = options.get(part)
        if not isinstance(below, dict):
            below = options[part] = {}
        options = below
    options[path[-1]] = value

"""Mistakes in a configuration, with the names that the user wrote."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.options import Options
from inkstream.tasks.config.spark_names import ALIASES, ANSWERS
from inkstream.tasks.config.stream import StreamConfig
from inkstream.tasks.config.urls import SECRET_ERROR

Path = tuple[str, ...]
"""The path of an option: the names of its sections, then its own."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake in a configuration.

    Attributes:
        path: The option; empty for the whole configuration.
        message: What is wrong, and the remedy.
        line: The line in the configuration file, from 1; None if the option is not in the file.
    """

    path: Path
    message: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.message}" if self.path else self.message


def explain(item: Any) -> Mistake:
    """Return one of pydantic's errors as a mistake."""
    path = tuple(str(part) for part in item["loc"])
    return Mistake(path, _message(item, path))


def nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'NAME'?` for the known name nearest to `name`, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _message(item: Any, path: Path) -> str:
    kind, given = item["type"], item["input"]
    if kind == "extra_forbidden":
        return _unknown(path)
    if kind == "missing":
        return "required, but not given"
    if kind in ("enum", "literal_error"):
        choices = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        return f"{given!r} is not one of {', '.join(choices)}{nearest(str(given), choices)}"
    if kind == "model_type":
        return f"expected a section with options of its own (given: {given!r})"
    text = str(item["msg"]).removeprefix("Value error, ")
    if kind == SECRET_ERROR or isinstance(given, dict):  # never repeat a secret, or a whole section
        return text
    return f"{text} (given: {given!r})"


def _unknown(path: Path) -> str:
    name = path[-1]
    if name in ANSWERS:
        return ANSWERS[name]
    places = [place for alias in ALIASES if alias.name == name for place in alias.places]
    if places:
        return f"does not belong here; move it to {' or '.join(place or 'the top level' for place in places)}"
    section = ".".join(path[:-1])
    spark_names = [alias.name for alias in ALIASES if section in alias.places]
    return f"unknown option{nearest(name, _known_names(path[:-1])) or nearest(name, spark_names) or _elsewhere(name)}"


def _elsewhere(name: str) -> str:
    """Return a hint at the sections that have an option of this name, in case it was written at the wrong level."""
    found = [".".join(path) for path in _all_paths(StreamConfig) if path[-1] == name]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _known_names(section: Path) -> list[str]:
    model: type[Options] | None = StreamConfig
    for part in section:
        model = model.section_model(part) if model else None
    return list(model.option_names()) if model else []


def _all_paths(model: type[Options]) -> Iterable[Path]:
    for name in model.option_names():
        yield (name,)
        with suppress(EnvironmentFault):  # an engine's package that cannot be imported
            below = model.section_model(name)
            if below is not None:
                yield from ((name, *path) for path in _all_paths(below))

"""Mistakes in a configuration, in the words of the person who wrote it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from inkstream.ocr_core.options import Options
from inkstream.tasks.config.spark_names import ALIASES, ANSWERS
from inkstream.tasks.config.stream import StreamConfig
from inkstream.tasks.config.urls import SECRET_ERROR

Path = tuple[str, ...]
"""The way to an option: the names of its sections, and its own."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake.

    Attributes:
        path: The option; empty for the whole configuration.
        message: What is wrong with it, and the remedy.
        line: The line in the configuration file, from 1; None where it was not written there.
    """

    path: Path
    message: str
    line: int | None = None

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.message}" if self.path else self.message


def explain(item: Any) -> Mistake:
    """Return the mistake behind one of pydantic's errors."""
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
        return "required, and not given"
    if kind in ("enum", "literal_error"):
        choices = re.findall(r"'([^']*)'", item["ctx"]["expected"])
        return f"{given!r} is not one of {', '.join(choices)}{nearest(str(given), choices)}"
    if kind == "model_type":
        return f"expected a section with options of its own (given: {given!r})"
    text = str(item["msg"]).removeprefix("Value error, ")
    if kind == SECRET_ERROR or isinstance(given, dict):  # a secret must not be repeated, a section need not be
        return text
    return f"{text} (given: {given!r})"


def _unknown(path: Path) -> str:
    name = path[-1]
    if name in ANSWERS:
        return ANSWERS[name]
    places = [place for alias in ALIASES if alias.name == name for place in alias.places]
    if places:
        return f"does not belong here but in {' or '.join(place or 'the top level' for place in places)}"
    section = ".".join(path[:-1])
    spark_names = [alias.name for alias in ALIASES if section in alias.places]
    return f"unknown option{nearest(name, _known_names(path[:-1])) or nearest(name, spark_names) or _elsewhere(name)}"


def _elsewhere(name: str) -> str:
    """Name the section that has an option of this name, for one written a level too high or too low."""
    found = [".".join(path) for path in _all_paths(StreamConfig) if path[-1] == name]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def _known_names(section: Path) -> list[str]:
    model: type[Options] | None = StreamConfig
    for part in section:
        model = model_of(model, part) if model else None
    return list(model.model_fields) if model else []


def _all_paths(model: type[Options]) -> Iterable[Path]:
    for name in model.model_fields:
        yield (name,)
        below = model_of(model, name)
        if below is not None:
            yield from ((name, *path) for path in _all_paths(below))


def model_of(model: type[Options], name: str) -> type[Options] | None:
    """Return the options model of a section; None where the name is unknown, or not a section."""
    field = model.model_fields.get(name)
    candidates = [field.annotation, *getattr(field.annotation, "__args__", ())] if field else []
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, Options)), None)

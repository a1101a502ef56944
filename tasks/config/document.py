"""A configuration file: its text, what it holds, and on which line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config.mistakes import Path


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed configuration file.

    Attributes:
        where: Its name, for messages.
        options: What it holds.
        lines: The line of every key and list item, from 1, by path.
    """

    where: str
    options: dict[str, Any]
    lines: dict[Path, int]

    def line(self, path: Path) -> int | None:
        """Returns the line of an option, or else of the nearest section around it; None where none is there."""
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)


def parse_document(text: str, where: str) -> Document:
    """Parses a YAML configuration file's text.

    Args:
        text: The text.
        where: The file's name, for messages.

    Raises:
        ConfigError: If it is not YAML, not a mapping, or says one thing twice.
    """
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        options = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}{_place(error)}: not valid YAML: {_why(error)}") from None
    if options is None:
        return Document(where, {}, {})
    if not isinstance(options, dict):
        raise ConfigError(f"{where}: expected a mapping of options, found a {type(options).__name__}")
    lines: dict[Path, int] = {}
    twice = []
    for path, line in _lines(node, ()):
        if path in lines:
            twice.append(f"{where}:{line}: {'.'.join(path)}: given twice, first on line {lines[path]}: keep one")
        lines.setdefault(path, line)
    if twice:
        raise ConfigError("\n".join(twice))
    return Document(where, options, lines)


def load_document(text: str, where: str) -> dict[str, Any]:
    """Returns what a YAML configuration file's text holds; see `parse_document`."""
    return parse_document(text, where).options


def _lines(node: Any, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            yield below, key.start_mark.line + 1
            yield from _lines(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            below = (*path, str(number))
            yield below, item.start_mark.line + 1
            yield from _lines(item, below)


def _place(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _why(error: yaml.YAMLError) -> str:
    problem = " ".join(part for part in (getattr(error, "context", None), getattr(error, "problem", None)) if part)
    if "alias" in problem:
        return f"{problem}; put a value that begins with * in quotes"
    return problem or str(error)

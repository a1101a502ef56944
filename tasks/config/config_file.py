"""Parsing a configuration file into its options and the line of each option."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config.mistakes import Path


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A parsed configuration file.

    Attributes:
        where: The file's name, for messages.
        options: The file's content.
        lines: Line of every key and list item, by path; counted from 1.
    """

    where: str
    options: dict[str, Any]
    lines: dict[Path, int]

    def line(self, path: Path) -> int | None:
        """Return the line of an option, or of the nearest section around it; None if neither is in the file."""
        return next((self.lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in self.lines), None)


def parse_config_file(text: str, where: str) -> ConfigFile:
    """Parse the text of a YAML configuration file.

    Args:
        text: The file's text.
        where: The file's name, for messages.

    Raises:
        ConfigError: If the text is not YAML, is not a mapping, or has an option twice.
    """
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        options = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{where}{_place(error)}: not valid YAML: {_why(error)}") from None
    if options is None:
        return ConfigFile(where, {}, {})
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
    return ConfigFile(where, options, lines)


def load_config_file(text: str, where: str) -> dict[str, Any]:
    """Return the options in the text of a YAML configuration file; see `parse_config_file`."""
    return parse_config_file(text, where).options


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

"""An option has the same name and the same meaning in every command."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from inkstream.flows.cli import app
from inkstream.tasks.presets import PRESETS

OWN_WORDS = {
    "--every",  # how often `run` runs again, or `serve` reads new files
    "--format",  # `ocr` prints, `export` writes
    "--json",  # `status` and `config show` print one object
    "--limit",  # files of a run, rows of a table, pages of a comparison
    "--output",  # a file of `ocr`, a folder of `export`
    "--queue",  # followed by `listen`, counted by `status`
    "--stream",  # names the stream of a run, or selects a stream that has run
    "--version",
}
"""Options that mean something else in another command."""


def commands(group: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in vars(group or typer.main.get_command(app))["commands"].items():
        if "commands" in vars(command):
            yield from commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name, command


COMMANDS = dict(commands())


def test_an_option_means_the_same_in_every_command() -> None:
    meanings: dict[str, set[str]] = defaultdict(set)
    for command in COMMANDS.values():
        for param in command.params:
            if param.opts[0].startswith("--"):
                meanings[param.opts[0]].add(param.help)
    differing = {option for option, texts in meanings.items() if len(texts) > 1}
    assert differing <= OWN_WORDS


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_consists_of_sentences_and_an_example(name: str) -> None:
    command = COMMANDS[name]
    what, _, example = command.help.partition("Example:")
    assert what.strip().endswith(".")
    assert example.strip().startswith(f"inkstream {name}")
    for param in command.params:
        assert param.help, param.name
        assert param.help[0].isupper(), param.help
        assert param.help.endswith((".", "'.")), param.help


def test_the_help_of_run_names_the_presets() -> None:
    (preset,) = (param for param in COMMANDS["run"].params if param.name == "preset")
    assert all(name in preset.help for name in PRESETS)

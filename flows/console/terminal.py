"""The console that all commands print to."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console


class Terminal(Console):
    """A `rich` console that leaves it to the command what happens when the reader of its output is gone."""

    def on_broken_pipe(self) -> NoReturn:
        """Raise the BrokenPipeError again; `rich` would end the process with exit code 1."""
        raise  # noqa: PLE0704 - called while the error is handled

    @property
    def spinner_name(self) -> str:
        """The name of a `rich` spinner whose characters this terminal can show."""
        return "line" if self.options.ascii_only else "dots"

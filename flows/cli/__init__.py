"""The `inkstream` command: arguments in, exit codes out. What it prints is in `flows.console`."""

from importlib import import_module
from typing import NoReturn

from flows.cli.common import EXIT_CODES, app

__all__ = ["EXIT_CODES", "app", "main"]

COMMANDS = ("running", "listening", "serving", "redoing", "looking", "exporting", "upkeep", "forgetting", "configuring")
"""Modules of commands, in the order of `inkstream --help`."""

for _commands in COMMANDS:
    import_module(f"flows.cli.{_commands}")


def main() -> NoReturn:
    """Entry point of the `inkstream` command."""
    app()
    raise SystemExit(0)

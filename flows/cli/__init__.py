"""The `inkstream` command: arguments in, exit codes out. What it prints is in `flows.console`."""

from importlib import import_module
from typing import NoReturn

from flows.cli.common import EXIT_CODES, app

__all__ = ["EXIT_CODES", "app", "main"]

for _commands in ("running", "redoing", "looking", "exporting", "upkeep", "configuring"):  # as in `inkstream --help`
    import_module(f"flows.cli.{_commands}")


def main() -> NoReturn:
    """Entry point of the `inkstream` command."""
    app()
    raise SystemExit(0)

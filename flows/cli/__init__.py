"""The `inkstream` command: arguments in, exit codes out. What it prints is in `inkstream.flows.console`."""

from importlib import import_module
from typing import NoReturn

from inkstream.flows.cli.common import EXIT_CODES, app

__all__ = ["EXIT_CODES", "app", "main"]

COMMANDS = (
    "run",
    "demo",
    "listen",
    "serve",
    "retry",
    "reprocess",
    "status",
    "show",
    "diff",
    "ocr",
    "doctor",
    "export",
    "maintain",
    "forget",
    "config",
)
"""Modules of commands, in the order of `inkstream --help`."""

for _commands in COMMANDS:
    import_module(f"inkstream.flows.cli.{_commands}")


def main() -> NoReturn:
    """Entry point of the `inkstream` command."""
    app()
    raise SystemExit(0)

"""The `inkstream` command: arguments in, exit codes out. What it prints is in `inkstream.flows.console`."""

from importlib import import_module
from typing import NoReturn

from inkstream.flows.cli.common import EXIT_CODES, app, explained_end
from inkstream.flows.cli.standard_streams import drop_unwritten_output, prepare_streams

__all__ = ["EXIT_CODES", "app", "main"]

COMMANDS = (
    "run",
    "listen",
    "serve",
    "retry",
    "reprocess",
    "ocr",
    "show",
    "status",
    "diff",
    "export",
    "maintain",
    "forget",
    "demo",
    "doctor",
    "config",
)
"""The module of each command, in the order of `inkstream --help`."""

for _commands in COMMANDS:
    import_module(f"inkstream.flows.cli.{_commands}")


def main() -> NoReturn:
    """Run the `inkstream` command."""
    prepare_streams()
    try:
        app()
    except OSError as error:  # of the help, which is printed before a command starts
        code = explained_end(error)
        if code is None:
            raise
        raise SystemExit(code) from None
    finally:
        drop_unwritten_output()
    raise SystemExit(0)

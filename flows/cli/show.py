"""The command `inkstream show`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes
from inkstream.flows.cli.options import AsJson, SinkArgument


@command("Use the table")
def show(
    sink: SinkArgument,
    version: Annotated[
        int | None, typer.Option(min=0, metavar="VERSION", help="Show this version of the table.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Show at most this many rows, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Print the newest rows of a table.

    Example: inkstream show tables --limit 100
    """
    with exit_codes():
        from inkstream.flows.console.show import print_show

        print_show(sink, version, limit, as_json=as_json)

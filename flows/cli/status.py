"""The command `inkstream status`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes
from inkstream.flows.cli.options import SinkArgument


@command("Use the table")
def status(
    sink: SinkArgument,
    stream: Annotated[str | None, typer.Option(help="Only this stream; all streams by default.")] = None,
    batches: Annotated[int, typer.Option(min=0, metavar="N", help="Show this many of each stream's last batches.")] = 5,
    queue: Annotated[
        str | None, typer.Option(metavar="URL", help="Count the messages of this SQS queue and its dead-letter queue.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Show what waits in the source, what the last batches did, what failed, and how large the table is.

    Example: inkstream status tables
    """
    with exit_codes():
        from inkstream.flows.console.status import print_status

        if not print_status(sink, stream, batches, queue, as_json=as_json):
            raise typer.Exit(5)

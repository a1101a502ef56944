"""The command `inkstream status`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import (
    app,
    exit_codes,
)


@app.command(rich_help_panel="Look")
def status(
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the table.")],
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    batches: Annotated[int, typer.Option(min=0, help="Last batches to tell of, for each stream.")] = 5,
    queue: Annotated[
        str | None, typer.Option(metavar="URL", help="Count the messages of this SQS queue and its dead-letter queue.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Say what waits in the source, what the last batches did, what failed, and how large the table is.

    Example: inkstream status tables
    """
    from inkstream.flows.console.status import print_status

    with exit_codes():
        if not print_status(sink, stream, batches, queue, as_json=as_json):
            raise typer.Exit(5)

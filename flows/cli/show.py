"""The command `inkstream show`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import (
    AsJson,
    app,
    exit_codes,
)


@app.command(rich_help_panel="Look")
def show(
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the table.")],
    version: Annotated[int | None, typer.Option(min=0, help="Show the table as it was at this version.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Print the newest rows of a table."""
    from inkstream.flows.console.show import print_rows

    with exit_codes():
        print_rows(sink, version, limit, as_json=as_json)

"""The command `inkstream diff`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import (
    AsJson,
    app,
    exit_codes,
)


@app.command(rich_help_panel="Look")
def diff(  # noqa: PLR0913 - one parameter an option
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the table.")],
    before: Annotated[int, typer.Option("--from", min=0, help="The version to compare with.")],
    after: Annotated[
        int | None, typer.Option("--to", min=0, help="The version to compare; the latest when not given.")
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Only these files: a path, URL, file name, or a glob of one. Repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Pages of each kind to show, those that changed most first.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of a table: pages added, removed, changed, fixed and failed.

    Example: inkstream diff tables --from 3
    """
    from inkstream.flows.console.diff import print_diff

    with exit_codes():
        print_diff(sink, before, after, path or [], limit, as_json=as_json)

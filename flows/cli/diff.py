"""The command `inkstream diff`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes
from inkstream.flows.cli.options import AsJson, Paths, SinkArgument


@command("Use the table")
def diff(  # noqa: PLR0913 - one parameter per option
    sink: SinkArgument,
    before: Annotated[int, typer.Option("--from", min=0, metavar="VERSION", help="The older version of the table.")],
    after: Annotated[
        int | None, typer.Option("--to", min=0, metavar="VERSION", help="The newer version; the latest by default.")
    ] = None,
    path: Paths = None,
    limit: Annotated[
        int, typer.Option(min=0, metavar="N", help="Show at most this many pages of a kind, largest changes first.")
    ] = 10,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of a table: pages added, removed, changed, fixed and failed.

    Example: inkstream diff tables --from 3
    """
    with exit_codes():
        from inkstream.flows.console.diff import print_diff

        print_diff(sink, before, after, path or [], limit, as_json=as_json)

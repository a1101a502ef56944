"""The command `inkstream forget`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes
from inkstream.flows.cli.options import AsJson, DryRun, SinkArgument


@command("Look after the table")
def forget(  # noqa: PLR0913 - one parameter per option
    sink: SinkArgument,
    path: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH", help="Paths, URLs, file names, or globs such as 'a*.pdf' of the files to forget."
        ),
    ],
    stream: Annotated[str | None, typer.Option(help="Only in this stream; in all streams by default.")] = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove the text and the overlays of documents from a sink. The files stay known and are not read again.

    Earlier versions of the table hold the text until they are vacuumed; the command says which.

    Example: inkstream forget tables inbox/letter.png
    """
    with exit_codes():
        from inkstream.flows.console.forget import print_forget

        print_forget(sink, path, stream, dry_run=dry_run, sure=yes, as_json=as_json)

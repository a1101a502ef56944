"""Commands that take documents out of a sink: forget."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import AsJson, app, exit_codes


@app.command(rich_help_panel="Keep in order")
def forget(  # noqa: PLR0913 - one parameter an option
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the table.")],
    path: Annotated[
        list[str], typer.Argument(help="A path, URL, file name, or a glob of one such as 'a*.pdf'; several may follow.")
    ],
    stream: Annotated[str | None, typer.Option(help="Only in this stream; in all when not given.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be forgotten.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take the text and the overlays of documents out of a sink. They stay known, and are not read again.

    Earlier versions of the table hold the text until a vacuum; the command says which.

    Example: inkstream forget tables inbox/letter.png
    """
    from inkstream.flows.console.forget import ask_and_forget

    with exit_codes():
        ask_and_forget(sink, path, stream, dry_run=dry_run, sure=yes, as_json=as_json)

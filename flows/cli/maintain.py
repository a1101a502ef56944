"""Commands that tidy a sink: maintain."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import AsJson, WithPrefect, app, exit_codes


@app.command(rich_help_panel="Keep in order")
def maintain(
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the tables.")],
    retention: Annotated[
        str | None,
        typer.Option(help="Keep what earlier versions need for this long: 24h or more, 30d if not given."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be done.")] = False,
    prefect: WithPrefect = "auto",
    as_json: AsJson = False,
) -> None:
    """Merge small files, checkpoint, and remove what no version within the retention needs. No row is changed.

    Example: inkstream maintain tables --dry-run
    """
    from inkstream.flows.console.maintain import print_upkeep
    from inkstream.tasks.config import build_maintain_options, parse_duration

    with exit_codes():
        given = {} if retention is None else {"retention": parse_duration(retention)}
        options = build_maintain_options({**given, "dry_run": dry_run})
        print_upkeep(sink, options, prefect, as_json=as_json)

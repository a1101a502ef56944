"""The command `inkstream maintain`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes
from inkstream.flows.cli.options import AsJson, DryRun, SinkArgument, WithPrefect


@command("Look after the table")
def maintain(
    sink: SinkArgument,
    retention: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Keep what earlier versions need for this long: 24h or more, 30d by default."
        ),
    ] = None,
    dry_run: DryRun = False,
    prefect: WithPrefect = "auto",
    as_json: AsJson = False,
) -> None:
    """Merge small files, write a checkpoint, and remove what no version within the retention needs. No row changes.

    Example: inkstream maintain tables --dry-run
    """
    with exit_codes():
        from inkstream.flows.console.maintain import print_maintain
        from inkstream.tasks.config import build_maintain_options, parse_duration

        given = {} if retention is None else {"retention": parse_duration(retention)}
        print_maintain(sink, build_maintain_options({**given, "dry_run": dry_run}), prefect, as_json=as_json)

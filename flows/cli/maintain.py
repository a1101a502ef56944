"""The command `inkstream maintain`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes
from inkstream.flows.cli.options import AsJson, DryRun, SinkArgument, WithPrefect


@command("Look after the table")
def maintain(  # noqa: PLR0913 - one parameter per option
    sink: SinkArgument,
    retention: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Keep what earlier versions need for this long: 24h or more, 30d by default."
        ),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Read every data file first, and repair what is damaged.")
    ] = False,
    dry_run: DryRun = False,
    prefect: WithPrefect = "auto",
    as_json: AsJson = False,
) -> None:
    """Merge small files, write a checkpoint, and remove what no version within the retention needs. No row changes.

    What a power cut, a full disk or a restored backup has damaged is repaired first; --check reads every data file to
    find it.

    Example: inkstream maintain tables --check --dry-run
    """
    with exit_codes():
        from inkstream.flows.console.maintain import print_maintain
        from inkstream.tasks.config import build_maintain_options, parse_duration

        given = {} if retention is None else {"retention": parse_duration(retention)}
        print_maintain(
            sink, build_maintain_options({**given, "check": check, "dry_run": dry_run}), prefect, as_json=as_json
        )

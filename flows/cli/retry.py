"""The command `inkstream retry`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes, read_again
from inkstream.flows.cli.options import AsJson, DryRun, OfStream, Overrides, Paths, SinkArgument, WithPrefect
from inkstream.ocr_core.errors import FailureKind


@command("Read documents")
def retry(  # noqa: PLR0913 - one parameter per option
    sink: SinkArgument,
    kind: Annotated[
        list[FailureKind] | None, typer.Option(help="Only pages that failed in this way. Repeatable.")
    ] = None,
    path: Paths = None,
    stream: OfStream = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    prefect: WithPrefect = "auto",
    as_json: AsJson = False,
) -> None:
    """Re-read only the pages that failed, and replace their rows.

    Each page is read with its earlier options, with --set on top. The rows of the file's other pages
    are kept.

    Example: inkstream retry tables --kind timeout --set execution.limits.page_seconds=600
    """
    with exit_codes():
        from inkstream.flows.loop.planners import FailedPages
        from inkstream.tasks.queries.stored_configs import stored_config

        config = stored_config(sink, stream, overrides or [])
        planner = FailedPages(tuple(kind or ()), tuple(path or ()), tuple(overrides or ()))
        read_again(config, planner, prefect, dry_run=dry_run, as_json=as_json)

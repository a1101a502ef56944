"""The command `inkstream retry`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import (
    AsJson,
    DryRun,
    OfStream,
    Overrides,
    Paths,
    Sink,
    WithPrefect,
    app,
    exit_codes,
    redo,
)
from inkstream.ocr_core.errors import FailureKind


@app.command(rich_help_panel="Process documents")
def retry(  # noqa: PLR0913 - one parameter an option
    sink: Sink,
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
    """Read the pages that failed again, and only those, and put what comes of it in place of their rows.

    Each is read with the options it was read with before, and --set on top. Rows of a file's other pages are kept.

    Example: inkstream retry tables --kind timeout --set execution.limits.page_seconds=600
    """
    from inkstream.flows.loop.planners import FailedPages
    from inkstream.tasks.queries.stored_configs import stored_config

    with exit_codes():
        config = stored_config(sink, stream, overrides or [])
        planner = FailedPages(tuple(kind or ()), tuple(path or ()), tuple(overrides or ()))
        redo(config, planner, prefect, dry_run=dry_run, as_json=as_json)

"""Commands that keep a stream going under Prefect: serve."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import Overrides, Preset, app, exit_codes, flag_overrides, read_config


@app.command(rich_help_panel="Process documents")
def serve(  # noqa: PLR0913 - one parameter an option
    config: Annotated[Path | None, typer.Argument(help="A YAML configuration file.", metavar="[CONFIG]")] = None,
    source: Annotated[str | None, typer.Option(help="Folder or URL where documents arrive.")] = None,
    sink: Annotated[str | None, typer.Option(help="Folder or URL that holds the table.")] = None,
    stream: Annotated[str | None, typer.Option(help="Name of the stream; a file version is done once in each.")] = None,
    preset: Preset = None,
    overrides: Overrides = None,
    every: Annotated[str | None, typer.Option(help="Read what is new this often: 30s, 5m, 1h.")] = None,
    cron: Annotated[str | None, typer.Option(help="Read what is new when cron says, in UTC: '*/5 * * * *'.")] = None,
    maintain_cron: Annotated[
        str | None, typer.Option(help="Compact and vacuum the table when cron says, in UTC: '0 3 * * *'.")
    ] = None,
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Port of the Prefect server that is started where none is configured.")
    ] = 4200,
) -> None:
    """Serve the stream under Prefect: on a schedule, and from a form in the browser. Ctrl-C ends it.

    With events.queue in the configuration, a run that follows the events is kept going, too.

    Example: inkstream serve letters.yaml --every 5m
    """
    from inkstream.flows.under_prefect.serve import Schedule, serve_stream
    from inkstream.tasks.config import parse_duration

    with exit_codes():
        flags = flag_overrides({"source.url": source, "sink.url": sink, "stream": stream})
        built = read_config(config, preset, [*flags, *(overrides or [])])
        schedule = Schedule(parse_duration(every) if every else None, cron)
        serve_stream(built, schedule, Schedule(cron=maintain_cron), port=port)

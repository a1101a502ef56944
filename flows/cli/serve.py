"""The command `inkstream serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes, flag_overrides, read_config
from inkstream.flows.cli.options import ConfigArgument, Overrides, Preset, Sink, Source, StreamName


@command("Read documents")
def serve(  # noqa: PLR0913 - one parameter per option
    config: ConfigArgument = None,
    source: Source = None,
    sink: Sink = None,
    stream: StreamName = None,
    preset: Preset = None,
    overrides: Overrides = None,
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Read new files this often: 30s, 5m, 1h.")
    ] = None,
    cron: Annotated[
        str | None, typer.Option(metavar="CRON", help="Read new files on this cron schedule, in UTC: '*/5 * * * *'.")
    ] = None,
    maintain_cron: Annotated[
        str | None, typer.Option(metavar="CRON", help="Maintain the table on this cron schedule, in UTC: '0 3 * * *'.")
    ] = None,
    port: Annotated[
        int,
        typer.Option(
            min=1, max=65535, metavar="PORT", help="Port of the Prefect server that is started if none is configured."
        ),
    ] = 4200,
) -> None:
    """Serve the stream under Prefect, on a schedule and from a form in the browser, until interrupted.

    If events.queue is configured, a run that follows the events is kept going as well.

    Example: inkstream serve letters.yaml --every 5m
    """
    with exit_codes():
        from inkstream.flows.under_prefect.serve import Schedule, serve_stream
        from inkstream.tasks.config import parse_duration

        flags = flag_overrides({"source.url": source, "sink.url": sink, "stream": stream})
        built = read_config(config, preset, [*flags, *(overrides or [])])
        schedule = Schedule(parse_duration(every) if every else None, cron)
        serve_stream(built, schedule, Schedule(cron=maintain_cron), port=port)

"""The command `inkstream doctor`."""

from __future__ import annotations

import typer

from inkstream.flows.cli.common import command, exit_codes, flag_overrides, read_config_file, read_partial_config
from inkstream.flows.cli.options import AsJson, ConfigArgument, Overrides, Preset, Sink, Source


@command("Set up")
def doctor(  # noqa: PLR0913 - one parameter per option
    config: ConfigArgument = None,
    source: Source = None,
    sink: Sink = None,
    preset: Preset = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Check what a run needs, on this machine and where the configuration points, and say how to fix what is wrong.

    Example: inkstream doctor --source s3://bucket/inbox --sink s3://bucket/tables
    """
    with exit_codes():
        from inkstream.flows.console.doctor import print_doctor

        flags = flag_overrides({"source.url": source, "sink.url": sink})
        built, missing = read_partial_config(read_config_file(config), preset, [*flags, *(overrides or [])])
        if not print_doctor(built, missing, as_json=as_json):
            raise typer.Exit(4)

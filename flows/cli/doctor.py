"""The command `inkstream doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import (
    AsJson,
    Overrides,
    Preset,
    app,
    exit_codes,
    flag_overrides,
    read_config_file,
    read_partial_config,
)


@app.command(rich_help_panel="Look")
def doctor(  # noqa: PLR0913 - one parameter an option
    config: Annotated[Path | None, typer.Argument(help="A YAML configuration file.", metavar="[CONFIG]")] = None,
    source: Annotated[str | None, typer.Option(help="Folder or URL where documents arrive.")] = None,
    sink: Annotated[str | None, typer.Option(help="Folder or URL that holds the table.")] = None,
    preset: Preset = None,
    overrides: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Check everything a run needs, each with its remedy: this machine, and what the configuration names.

    Example: inkstream doctor --source s3://bucket/inbox --sink s3://bucket/tables
    """
    from inkstream.flows.console.doctor import print_checks

    with exit_codes():
        flags = flag_overrides({"source.url": source, "sink.url": sink})
        built, missing = read_partial_config(read_config_file(config), preset, [*flags, *(overrides or [])])
        if not print_checks(built, missing, as_json=as_json):
            raise typer.Exit(4)

"""Arguments and options that several commands take, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.under_prefect.settings import PrefectMode
from inkstream.tasks.presets import PRESETS

*_FIRST_PRESETS, _LAST_PRESET = PRESETS

ConfigArgument = Annotated[Path | None, typer.Argument(metavar="CONFIG", help="A YAML configuration file.")]
SinkArgument = Annotated[str, typer.Argument(metavar="SINK", help="Folder or URL that holds the table.")]

Source = Annotated[str | None, typer.Option("--source", help="Folder or URL where documents arrive.")]
Sink = Annotated[str | None, typer.Option("--sink", help="Folder or URL that holds the table.")]
StreamName = Annotated[
    str | None, typer.Option("--stream", help="Name of the stream. Each stream reads a file version once.")
]
OfStream = Annotated[str | None, typer.Option("--stream", help="The stream; optional if the table has only one.")]
Preset = Annotated[
    str | None,
    typer.Option(
        "--preset", metavar="NAME", help=f"Start from a preset: {', '.join(_FIRST_PRESETS)} or {_LAST_PRESET}."
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Set one option, such as pipeline.render.resolution=200. Repeatable."
    ),
]
Paths = Annotated[
    list[str] | None,
    typer.Option(
        "--path",
        metavar="PATH",
        help="Only these files: a path, a URL, a file name, or a glob such as 'a*.{pdf,PDF}'. Repeatable.",
    ),
]
WithPrefect = Annotated[
    PrefectMode, typer.Option("--prefect", help="Run under Prefect; auto: if a Prefect API is configured.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON Lines on standard output instead of text.")]

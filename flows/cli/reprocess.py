"""The command `inkstream reprocess`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inkstream.flows.cli.common import (
    AsJson,
    DryRun,
    OfStream,
    Overrides,
    Paths,
    Preset,
    Sink,
    WithPrefect,
    app,
    exit_codes,
    read_config_file,
    redo,
)

if TYPE_CHECKING:
    from inkstream.tasks.config import StreamConfig


@app.command(rich_help_panel="Process documents")
def reprocess(  # noqa: PLR0913 - one parameter an option
    sink: Sink,
    config: Annotated[
        Path | None, typer.Argument(help="A YAML configuration file: read as `run` would with it.", metavar="[CONFIG]")
    ] = None,
    preset: Preset = None,
    path: Paths = None,
    stream: OfStream = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    prefect: WithPrefect = "auto",
    as_json: AsJson = False,
) -> None:
    """Read files again whose rows another pipeline made, and put what comes of it in place of their rows.

    The pipeline is that of CONFIG or --preset as `run` would take it, or else the stream's own; with --set on top.
    Files whose rows it made already, with the same versions of the engines, are left alone.

    Example: inkstream reprocess tables --set pipeline.render.resolution=400 --dry-run
    """
    from inkstream.flows.loop.planners import OtherPipeline

    with exit_codes():
        built = _pipeline_config(sink, stream, config, preset, overrides or [])
        redo(built, OtherPipeline(tuple(path or ())), prefect, dry_run=dry_run, as_json=as_json)


def _pipeline_config(
    sink: str, stream: str | None, file: Path | None, preset: str | None, overrides: list[str]
) -> StreamConfig:
    """What `run` would use, on the stream's own source and this sink."""
    from inkstream.tasks.config import build_from
    from inkstream.tasks.queries.stored_configs import stored_config

    if file is None and preset is None:
        return stored_config(sink, stream, overrides)
    config_file = read_config_file(file)
    stored = stored_config(sink, stream or config_file.options.get("stream"))
    stored_options = stored.model_dump(mode="json")
    places = {name: stored_options[name] for name in ("stream", "source", "sink")}
    whole = replace(config_file, options={**config_file.options, **places})
    return build_from(whole, preset=preset, overrides=overrides)

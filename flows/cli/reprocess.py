"""The command `inkstream reprocess`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from inkstream.flows.cli.common import command, exit_codes, read_again, read_config_file
from inkstream.flows.cli.options import (
    AsJson,
    ConfigArgument,
    DryRun,
    OfStream,
    Overrides,
    Paths,
    Preset,
    SinkArgument,
    WithPrefect,
)

if TYPE_CHECKING:
    from inkstream.tasks.config import StreamConfig


@command("Read documents")
def reprocess(  # noqa: PLR0913 - one parameter per option
    sink: SinkArgument,
    config: ConfigArgument = None,
    preset: Preset = None,
    path: Paths = None,
    stream: OfStream = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    prefect: WithPrefect = "auto",
    as_json: AsJson = False,
) -> None:
    """Re-read the files whose rows were made by another pipeline, and replace their rows.

    The pipeline is the one that `run` would use with CONFIG or --preset, or else the stream's own, with --set on top.
    Files whose rows it made already, with the same engine versions, are left alone.

    Example: inkstream reprocess tables --set pipeline.render.resolution=400 --dry-run
    """
    with exit_codes():
        from inkstream.flows.loop.planners import OtherPipeline

        built = _pipeline_config(sink, stream, config, preset, overrides or [])
        read_again(built, OtherPipeline(tuple(path or ())), prefect, dry_run=dry_run, as_json=as_json)


def _pipeline_config(
    sink: str, stream: str | None, file: Path | None, preset: str | None, overrides: list[str]
) -> StreamConfig:
    """Return the configuration that `run` would use, with the stream's own source and with this sink."""
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

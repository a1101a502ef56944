"""Commands that make rows again: retry, reprocess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.common import (
    AsJson,
    OfStream,
    Overrides,
    Paths,
    PrefectChoice,
    Preset,
    Sink,
    app,
    exit_codes,
    read_document,
)
from ocr_core.errors import FailureKind

if TYPE_CHECKING:
    from flows.planners import Planner
    from tasks.config import StreamConfig

DryRun = Annotated[bool, typer.Option("--dry-run", help="Change nothing; say which files would be read again.")]
WithPrefect = Annotated[PrefectChoice, typer.Option(help="Run under Prefect; auto: when a Prefect API is configured.")]


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
    prefect: WithPrefect = PrefectChoice.AUTO,
    as_json: AsJson = False,
) -> None:
    """Read the pages that failed again, and only those, and put what comes of it in place of their rows.

    Each is read with the options it was read with before, and --set on top. Rows of a file's other pages are kept.

    Example: inkstream retry tables --kind timeout --set execution.limits.page_seconds=600
    """
    from flows.planners import FailedPages
    from tasks.stored import stored_config

    with exit_codes():
        config = stored_config(sink, stream, overrides or [])
        planner = FailedPages(tuple(kind or ()), tuple(path or ()), tuple(overrides or ()))
        _start(config, planner, prefect, dry_run=dry_run, as_json=as_json)


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
    prefect: WithPrefect = PrefectChoice.AUTO,
    as_json: AsJson = False,
) -> None:
    """Read files again whose rows another pipeline made, and put what comes of it in place of their rows.

    The pipeline is that of CONFIG or --preset as `run` would take it, or else the stream's own; with --set on top.
    Files whose rows it made already, with the same versions of the engines, are left alone.

    Example: inkstream reprocess tables --set pipeline.render.resolution=400 --dry-run
    """
    from flows.planners import OtherPipeline

    with exit_codes():
        built = _pipeline_config(sink, stream, config, preset, overrides or [])
        _start(built, OtherPipeline(tuple(path or ())), prefect, dry_run=dry_run, as_json=as_json)


def _pipeline_config(
    sink: str, stream: str | None, file: Path | None, preset: str | None, overrides: list[str]
) -> StreamConfig:
    """What `run` would use, on the stream's own source and this sink."""
    from tasks.config import build_from
    from tasks.stored import stored_config

    if file is None and preset is None:
        return stored_config(sink, stream, overrides)
    document = read_document(file)
    stored = stored_config(sink, stream or document.options.get("stream"))
    stored_options = stored.model_dump(mode="json")
    places = {name: stored_options[name] for name in ("stream", "source", "sink")}
    return build_from(replace(document, options={**document.options, **places}), preset=preset, overrides=overrides)


def _start(config: StreamConfig, planner: Planner, prefect: PrefectChoice, *, dry_run: bool, as_json: bool) -> None:
    from flows.api import Stream
    from flows.console.redo import REDO_WORDS, print_plan
    from flows.console.run import run_output

    if dry_run:
        with Stream(config) as stream:
            print_plan(stream.plan(planner), as_json=as_json)
        return
    if prefect is PrefectChoice.ON:
        from flows.prefect_settings import use_embedded_server

        use_embedded_server()
    with (
        run_output(REDO_WORDS, as_json=as_json) as output,
        Stream(config, observers=[output], prefect=prefect.value) as stream,
    ):
        summary = stream.do(planner)
        output.finished(summary)
        if summary.left_out:
            raise typer.Exit(5)

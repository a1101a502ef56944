"""The command `inkstream run`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from inkstream.flows.cli.common import (
    AsJson,
    Overrides,
    Preset,
    WithPrefect,
    app,
    exit_codes,
    flag_overrides,
    read_config,
)
from inkstream.ocr_core.errors import ConfigError, TransientError

if TYPE_CHECKING:
    from inkstream.flows.under_prefect.settings import PrefectMode
    from inkstream.tasks.config import StreamConfig
    from inkstream.tasks.progress import Summary


@app.command(rich_help_panel="Process documents")
def run(  # noqa: PLR0913 - one parameter an option
    config: Annotated[Path | None, typer.Argument(help="A YAML configuration file.", metavar="[CONFIG]")] = None,
    source: Annotated[str | None, typer.Option(help="Folder or URL where documents arrive.")] = None,
    sink: Annotated[str | None, typer.Option(help="Folder or URL that holds the table.")] = None,
    stream: Annotated[str | None, typer.Option(help="Name of the stream; a file version is done once in each.")] = None,
    preset: Preset = None,
    max_files_per_trigger: Annotated[int | None, typer.Option(help="Files in one batch at most.")] = None,
    overrides: Overrides = None,
    every: Annotated[str | None, typer.Option(help="Go on, with a new run this often: 30s, 5m, 1h.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Take so many new files at most; the others wait.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and write nothing; say what would be read.")] = False,
    prefect: WithPrefect = "auto",
    fail_on_document_error: Annotated[
        bool, typer.Option("--fail-on-document-error", help="Exit with 3 when a page failed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read what is new in the source, commit it to the table, and stop (or go on with --every).

    Example: inkstream run --source inbox --sink tables
    """
    from inkstream.tasks.config import parse_duration

    with exit_codes():
        flags = flag_overrides(
            {
                "source.url": source,
                "sink.url": sink,
                "stream": stream,
                "trigger.max_files_per_trigger": max_files_per_trigger,
            }
        )
        built = read_config(config, preset, [*flags, *(overrides or [])])
        pause = parse_duration(every).total_seconds() if every else None
        if dry_run and every:
            raise ConfigError("--dry-run looks once: leave --every out")
        if dry_run:
            _print_plan(built, limit, as_json)
        else:
            _run_stream(built, prefect, pause, limit, as_json=as_json, strict=fail_on_document_error)


def _print_plan(config: StreamConfig, limit: int | None, as_json: bool) -> None:
    from inkstream.flows.api import Stream
    from inkstream.flows.console.plan import print_new_files
    from inkstream.flows.loop.planners import NewFiles

    with Stream(config) as stream:
        print_new_files(stream.plan(NewFiles(limit)), as_json=as_json)


def _run_stream(  # noqa: PLR0913 - one parameter an option
    config: StreamConfig, prefect: PrefectMode, pause: float | None, limit: int | None, *, as_json: bool, strict: bool
) -> None:
    if not config.sink.traits.outlives_process:
        raise ConfigError("a memory sink ends with its process and would leave nothing here: use it from Python")
    from inkstream.flows.api import Stream
    from inkstream.flows.console.run import run_output

    if prefect == "on":
        from inkstream.flows.under_prefect.settings import use_embedded_server

        use_embedded_server()
    with run_output(as_json=as_json) as output, Stream(config, observers=[output], prefect=prefect) as stream:
        if pause is None:
            summary = stream.run(limit)
            output.finished(summary)
            _exit_with(summary, strict)
        else:
            _run_every(lambda: stream.run(limit), pause, output.finished, output.trouble)


def _run_every(
    trigger: Callable[[], Summary],
    pause: float,
    finished: Callable[[Summary], None],
    trouble: Callable[[TransientError], None],
) -> NoReturn:
    """One run a trigger, for ever; a late one starts at once, and the moment's faults wait for the next."""
    while True:
        due = time.monotonic() + pause
        try:
            summary = trigger()
        except TransientError as error:
            trouble(error)
        else:
            if summary.batches or summary.left_out:
                finished(summary)
        time.sleep(max(0.0, due - time.monotonic()))


def _exit_with(summary: Summary, strict: bool) -> None:
    if summary.left_out:
        raise typer.Exit(5)
    if strict and summary.failed_pages:
        raise typer.Exit(3)

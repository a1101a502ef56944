"""The command `inkstream run`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from inkstream.flows.cli.common import command, exit_codes, flag_overrides, read_config, watched_stream
from inkstream.flows.cli.options import (
    AsJson,
    ConfigArgument,
    DryRun,
    Overrides,
    Preset,
    Sink,
    Source,
    StreamName,
    WithPrefect,
)
from inkstream.ocr_core.errors import ConfigError, TransientError

if TYPE_CHECKING:
    from inkstream.flows.api import Stream
    from inkstream.flows.console.run import RunOutput
    from inkstream.tasks.config import StreamConfig
    from inkstream.tasks.progress import Summary


@command("Read documents")
def run(  # noqa: PLR0913 - one parameter per option
    config: ConfigArgument = None,
    source: Source = None,
    sink: Sink = None,
    stream: StreamName = None,
    preset: Preset = None,
    max_files_per_trigger: Annotated[
        int | None, typer.Option(metavar="N", help="Read at most this many files in a batch.")
    ] = None,
    overrides: Overrides = None,
    every: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Run again this often until interrupted: 30s, 5m, 1h.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Read at most this many new files; the rest wait for the next run."),
    ] = None,
    dry_run: DryRun = False,
    prefect: WithPrefect = "auto",
    fail_on_document_error: Annotated[
        bool, typer.Option("--fail-on-document-error", help="Exit with 3 if a page failed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read the new files of the source and commit their text to the table.

    Example: inkstream run --source inbox --sink tables
    """
    with exit_codes():
        from inkstream.flows.console.run import NEW_FILES
        from inkstream.tasks.config import parse_duration

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
        if dry_run:
            if every:
                raise ConfigError("--dry-run looks once; leave --every out")
            _print_plan(built, limit, as_json=as_json)
            return
        with watched_stream(built, prefect, NEW_FILES, as_json=as_json) as (running, output):
            if pause is not None:
                _run_every(running, limit, pause, output)
            summary = running.run(limit)
            output.finished(summary)
            _exit_with(summary, strict=fail_on_document_error)


def _print_plan(config: StreamConfig, limit: int | None, *, as_json: bool) -> None:
    from inkstream.flows.api import Stream
    from inkstream.flows.console.dry_run import print_new_files
    from inkstream.flows.loop.planners import NewFiles

    with Stream(config) as stream:
        print_new_files(stream.plan(NewFiles(limit)), as_json=as_json)


def _run_every(stream: Stream, limit: int | None, pause: float, output: RunOutput) -> NoReturn:
    """Run at every trigger until interrupted.

    An overdue run starts at once. After a transient fault, the next trigger tries again.

    Args:
        stream: The stream.
        limit: Maximum number of new files per run.
        pause: Seconds from one trigger to the next.
        output: Prints what the runs did.
    """
    while True:
        due = time.monotonic() + pause
        try:
            summary = stream.run(limit)
        except TransientError as error:
            output.trouble(error)
        else:
            if summary.batches or summary.left_out:
                output.finished(summary)
            else:
                output.idle(summary)
        time.sleep(max(0.0, due - time.monotonic()))


def _exit_with(summary: Summary, *, strict: bool) -> None:
    if summary.left_out or summary.skipped.has_unreadable:
        raise typer.Exit(5)
    if strict and summary.failed_pages:
        raise typer.Exit(3)

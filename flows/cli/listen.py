"""The command that follows S3 events: listen."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
from inkstream.ocr_core.errors import ConfigError


@app.command(rich_help_panel="Process documents")
def listen(  # noqa: PLR0913 - one parameter an option
    config: Annotated[Path | None, typer.Argument(help="A YAML configuration file.", metavar="[CONFIG]")] = None,
    queue: Annotated[str | None, typer.Option(metavar="URL", help="The SQS queue with the bucket's events.")] = None,
    source: Annotated[str | None, typer.Option(help="URL of the bucket's folder where documents arrive.")] = None,
    sink: Annotated[str | None, typer.Option(help="Folder or URL that holds the table.")] = None,
    stream: Annotated[str | None, typer.Option(help="Name of the stream; a file version is done once in each.")] = None,
    preset: Preset = None,
    overrides: Overrides = None,
    once: Annotated[bool, typer.Option("--once", help="End as soon as the queue has no message to give.")] = False,
    max_batches: Annotated[int | None, typer.Option(min=1, help="End when so many batches are committed.")] = None,
    prefect: WithPrefect = "auto",
    as_json: AsJson = False,
) -> None:
    """Read documents of a bucket as S3 events announce them, until interrupted.

    Events are hints: the bucket is listed at the start and every events.backfill_interval for what they have lost. A
    message is deleted when what it announces is committed, gone or not wanted.

    Example: inkstream listen --queue https://sqs.eu-west-1.amazonaws.com/123456789012/inbox
    --source s3://bucket/inbox --sink s3://bucket/tables
    """
    with exit_codes():
        flags = flag_overrides({"events.queue": queue, "source.url": source, "sink.url": sink, "stream": stream})
        built = read_config(config, preset, [*flags, *(overrides or [])])
        if not built.sink.traits.outlives_process:
            raise ConfigError("a memory sink ends with its process and would leave nothing here: use it from Python")
        from inkstream.flows.api import Stream
        from inkstream.flows.console.run import Words, run_output

        if prefect == "on":
            from inkstream.flows.under_prefect.settings import use_embedded_server

            use_embedded_server()
        words = Words("waiting for events", "announced or new files", "nothing new was announced or found")
        with (
            run_output(words, as_json=as_json) as output,
            Stream(built, observers=[output], prefect=prefect) as running,
        ):
            summary = running.listen(once=once, max_batches=max_batches)
            output.finished(summary)
        if summary.left_out:
            raise typer.Exit(5)

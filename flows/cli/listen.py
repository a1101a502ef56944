"""The command `inkstream listen`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes, flag_overrides, read_config, watched_stream
from inkstream.flows.cli.options import (
    AsJson,
    ConfigArgument,
    Overrides,
    Preset,
    Sink,
    Source,
    StreamName,
    WithPrefect,
)


@command("Read documents")
def listen(  # noqa: PLR0913 - one parameter per option
    config: ConfigArgument = None,
    queue: Annotated[
        str | None, typer.Option(metavar="URL", help="The SQS queue that receives the bucket's events.")
    ] = None,
    source: Source = None,
    sink: Sink = None,
    stream: StreamName = None,
    preset: Preset = None,
    overrides: Overrides = None,
    once: Annotated[bool, typer.Option("--once", help="Stop as soon as the queue is empty.")] = False,
    max_batches: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after this many committed batches.")
    ] = None,
    prefect: WithPrefect = "auto",
    as_json: AsJson = False,
) -> None:
    """Read the documents of a bucket as S3 events announce them, until interrupted.

    Events are hints: the bucket is also listed at the start and every events.backfill_interval, in case events were
    lost. A message is deleted once every object it announces is committed, gone or not wanted.

    Example: inkstream listen --queue https://sqs.eu-west-1.amazonaws.com/123456789012/inbox
    --source s3://bucket/inbox --sink s3://bucket/tables
    """
    with exit_codes():
        from inkstream.flows.console.run import ANNOUNCED_FILES

        flags = flag_overrides({"events.queue": queue, "source.url": source, "sink.url": sink, "stream": stream})
        built = read_config(config, preset, [*flags, *(overrides or [])])
        with watched_stream(built, prefect, ANNOUNCED_FILES, as_json=as_json) as (running, output):
            summary = running.listen(once=once, max_batches=max_batches)
            output.finished(summary)
        if summary.left_out or summary.skipped.has_unreadable:
            raise typer.Exit(5)

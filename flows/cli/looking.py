"""Commands that change nothing: status, show, ocr, doctor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.common import (
    AsJson,
    Overrides,
    Preset,
    app,
    exit_codes,
    flag_overrides,
    read_config,
    read_document,
    read_partial_config,
)
from ocr_core.export.export_format import ExportFormat


@app.command(rich_help_panel="Look")
def status(
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the table.")],
    stream: Annotated[str | None, typer.Option(help="Only this stream.")] = None,
    batches: Annotated[int, typer.Option(min=0, help="Last batches to tell of, for each stream.")] = 5,
    queue: Annotated[
        str | None, typer.Option(metavar="URL", help="Count the messages of this SQS queue and its dead-letter queue.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")] = False,
) -> None:
    """Say what waits in the source, what the last batches did, what failed, and how large the table is.

    Example: inkstream status tables
    """
    from flows.console.status import print_status

    with exit_codes():
        if not print_status(sink, stream, batches, queue, as_json=as_json):
            raise typer.Exit(5)


@app.command(rich_help_panel="Look")
def show(
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the table.")],
    version: Annotated[int | None, typer.Option(min=0, help="Show the table as it was at this version.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Print the newest rows of a table."""
    from flows.console.rows import print_rows

    with exit_codes():
        print_rows(sink, version, limit, as_json=as_json)


@app.command(rich_help_panel="Look")
def diff(  # noqa: PLR0913 - one parameter an option
    sink: Annotated[str, typer.Argument(help="Folder or URL that holds the table.")],
    before: Annotated[int, typer.Option("--from", min=0, help="The version to compare with.")],
    after: Annotated[
        int | None, typer.Option("--to", min=0, help="The version to compare; the latest when not given.")
    ] = None,
    path: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Only these files: a path, URL, file name, or a glob of one. Repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Pages of each kind to show, those that changed most first.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Compare two versions of a table: pages added, removed, changed, fixed and failed.

    Example: inkstream diff tables --from 3
    """
    from flows.console.comparing import print_diff

    with exit_codes():
        print_diff(sink, before, after, path or [], limit, as_json=as_json)


@app.command(rich_help_panel="Look")
def ocr(  # noqa: PLR0913 - one parameter an option
    file: Annotated[Path, typer.Argument(help="A PDF or image.", exists=True, dir_okay=False)],
    text_format: Annotated[ExportFormat, typer.Option("--format", help="What to print.")] = ExportFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write to this file instead of standard output.")
    ] = None,
    pages: Annotated[str | None, typer.Option(help="Pages to read, from 1: 1-3,7,last or 5-.")] = None,
    preset: Preset = None,
    overrides: Overrides = None,
) -> None:
    """Read one document and print its text, hOCR or ALTO, or write a searchable PDF: no table, no Prefect, no Dask.

    Example: inkstream ocr scan.pdf --format pdf --output searchable.pdf
    """
    from flows.console.document import print_document

    with exit_codes():
        chosen = [] if pages is None else [f"pipeline.pages={json.dumps(pages)}"]
        built = read_config(None, preset, ["source.url=.", "sink.url=.", *(overrides or []), *chosen])
        if print_document(file, built, text_format, output):
            raise typer.Exit(3)


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
    from flows.console.checks import print_checks

    with exit_codes():
        flags = flag_overrides({"source.url": source, "sink.url": sink})
        built, missing = read_partial_config(read_document(config), preset, [*flags, *(overrides or [])])
        if not print_checks(built, missing, as_json=as_json):
            raise typer.Exit(4)

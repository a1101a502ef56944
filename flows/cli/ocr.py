"""The command `inkstream ocr`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import (
    Overrides,
    Preset,
    app,
    exit_codes,
    read_config,
)
from inkstream.ocr_core.export.export_format import ExportFormat


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
    from inkstream.flows.console.ocr import print_document

    with exit_codes():
        chosen = [] if pages is None else [f"pipeline.pages={json.dumps(pages)}"]
        built = read_config(None, preset, ["source.url=.", "sink.url=.", *(overrides or []), *chosen])
        if print_document(file, built, text_format, output):
            raise typer.Exit(3)

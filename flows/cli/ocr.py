"""The command `inkstream ocr`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes, flag_overrides, read_config
from inkstream.flows.cli.options import Overrides, Preset
from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.tasks.names import as_on_disk


def _document(typed: str) -> Path:
    """Return the path of a file, which is found under its name in NFC and NFD alike."""
    path = Path(as_on_disk(typed))
    if not path.exists():
        raise typer.BadParameter(f"File {typed!r} does not exist.")
    if path.is_dir():
        raise typer.BadParameter(f"File {typed!r} is a directory.")
    if not os.access(path, os.R_OK):
        raise typer.BadParameter(f"File {typed!r} is not readable.")
    return path


@command("Read documents")
def ocr(  # noqa: PLR0913 - one parameter per option
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A PDF or an image.", parser=_document)],
    text_format: Annotated[ExportFormat, typer.Option("--format", help="The format to print.")] = ExportFormat.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write to this file instead of standard output.")
    ] = None,
    pages: Annotated[
        str | None, typer.Option(help="Pages to read, counted from 1, such as 1-3,7,last or 5- (from 5 on).")
    ] = None,
    preset: Preset = None,
    overrides: Overrides = None,
) -> None:
    """Read one document and print its text, hOCR or ALTO, or write a searchable PDF. No table, Prefect or Dask.

    Example: inkstream ocr scan.pdf --format pdf --output searchable.pdf
    """
    with exit_codes():
        from inkstream.flows.console.ocr import print_ocr

        places = ["source.url=.", "sink.url=."]  # required of a stream, not used for one document
        config = read_config(None, preset, [*places, *(overrides or []), *flag_overrides({"pipeline.pages": pages})])
        if print_ocr(file, config, text_format, output):
            raise typer.Exit(3)

"""The command `inkstream export`."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import command, exit_codes
from inkstream.flows.cli.options import AsJson, OfStream, Paths, SinkArgument
from inkstream.ocr_core.export.export_format import ExportFormat


@command("Use the table")
def export(  # noqa: PLR0913 - one parameter per option
    sink: SinkArgument,
    export_format: Annotated[ExportFormat, typer.Option("--format", help="The format to write.")],
    output: Annotated[str, typer.Option("--output", help="Folder or URL to write to, one file per document.")],
    path: Paths = None,
    version: Annotated[
        int | None, typer.Option(min=0, metavar="VERSION", help="Export this version of the table.")
    ] = None,
    stream: OfStream = None,
    as_json: AsJson = False,
) -> None:
    """Write each document of a table as text, JSON Lines, hOCR, ALTO or searchable PDF.

    If a file was overwritten, the version that was committed last is written.

    Example: inkstream export tables --format hocr --output hocr
    """
    with exit_codes():
        from inkstream.flows.console.export import print_export
        from inkstream.tasks.queries.export import Export
        from inkstream.tasks.queries.stored_configs import stored_config
        from inkstream.tasks.queries.stored_pages import stored_pages
        from inkstream.tasks.sinks.opening import open_existing

        pages = stored_pages(open_existing(sink), version)
        documents = Export(pages, stored_config(sink, stream), output, export_format, patterns=path or ())
        problems, passing = print_export(documents, output, as_json=as_json)
        if problems:
            raise typer.Exit(5 if passing else 3)

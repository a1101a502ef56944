"""The command that writes a table's documents: export."""

from __future__ import annotations

from typing import Annotated

import typer

from inkstream.flows.cli.common import AsJson, OfStream, Paths, Sink, app, exit_codes
from inkstream.ocr_core.export.export_format import ExportFormat


@app.command(rich_help_panel="Look")
def export(  # noqa: PLR0913 - one parameter an option
    sink: Sink,
    export_format: Annotated[ExportFormat, typer.Option("--format", help="What to write for each file.")],
    output: Annotated[str, typer.Option("--output", help="Folder or URL to write to; one file a document.")],
    path: Paths = None,
    version: Annotated[int | None, typer.Option(min=0, help="Export the table as it was at this version.")] = None,
    stream: OfStream = None,
    as_json: AsJson = False,
) -> None:
    """Write each file of a table as text, JSON Lines, hOCR, ALTO or searchable PDF, in its latest version.

    Example: inkstream export tables --format hocr --output hocr
    """
    from inkstream.flows.console.export import print_export
    from inkstream.tasks.queries.export import Export
    from inkstream.tasks.queries.stored_configs import stored_config
    from inkstream.tasks.queries.stored_pages import stored_pages
    from inkstream.tasks.sinks.opening import open_existing

    with exit_codes():
        pages = stored_pages(open_existing(sink), version)
        made = Export(pages, stored_config(sink, stream), output, export_format, patterns=path or ())
        problems, passing = print_export(made, output, as_json=as_json)
        if problems:
            raise typer.Exit(5 if passing else 3)

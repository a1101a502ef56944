"""What `inkstream show` prints."""

from __future__ import annotations

from inkstream.flows.console.tables import print_rows, table_console
from inkstream.flows.text import print_json


def print_show(sink: str, version: int | None, limit: int, *, as_json: bool) -> None:
    """Print the newest rows of a sink's pages."""
    from inkstream.tasks.sinks.delta.tables import PagesTable, format_of
    from inkstream.tasks.sinks.parquet import ParquetSink

    if version is None and format_of(sink) == "parquet":
        files = ParquetSink(sink)
        rows, origin = files.rows(limit=limit), f"Parquet files in {files.url}"
    else:
        table = PagesTable(sink)
        rows = table.rows(version=version, limit=limit)
        origin = f"version {table.version() if version is None else version} of {table.url}"
    if as_json:
        for row in rows.to_pylist():
            print_json(row)
        return
    console = table_console()
    print_rows(console, rows)
    console.print(origin, markup=False, soft_wrap=True)

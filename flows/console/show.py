"""What rows of the table look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from inkstream.flows.text import TEXT_WIDTH, one_line, plain, print_json, short_name

if TYPE_CHECKING:
    import pyarrow as pa


def _remark(row: dict[str, Any]) -> str:
    """What the last column says: the failure, else the notes; an older table has none."""
    if row["exception"]:
        return f"{row['exception_kind']}: {row['exception']}"
    return f"note: {row['notes']}" if row.get("notes") else ""


def print_rows(sink: str, version: int | None, limit: int, *, as_json: bool) -> None:
    """Prints the newest rows of a sink's pages table."""
    from inkstream.tasks.sinks.delta.tables import PagesTable, format_of
    from inkstream.tasks.sinks.parquet import ParquetSink

    if version is None and format_of(sink) == "parquet":
        files = ParquetSink(sink)
        rows, shown = files.rows(limit=limit), f"Parquet files in {files.url}"
    else:
        table = PagesTable(sink)
        rows = table.rows(version=version, limit=limit)
        shown = f"version {table.version() if version is None else version} of {table.url}"
    if as_json:
        for row in rows.to_pylist():
            print_json(row)
        return
    console = table_console()
    console.print(rows_table(rows))
    console.print(shown, markup=False, soft_wrap=True)


def table_console() -> Console:
    """Returns a console that is as wide as the terminal, or wide enough for the table where there is none."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=160)


def rows_table(rows: pa.Table) -> Table:
    """Returns rows of the pages table as a table for the terminal."""
    shown = Table(show_lines=False, pad_edge=False)
    for name, options in (
        ("timestamp", {"no_wrap": True}),
        ("pagenum", {"justify": "right"}),
        ("path", {"no_wrap": True, "max_width": 28}),
        ("text", {"no_wrap": True, "max_width": TEXT_WIDTH}),
        ("confidence", {"justify": "right", "no_wrap": True}),
        ("exception", {"overflow": "fold"}),
    ):
        shown.add_column(name, **options)
    for row in rows.to_pylist():
        confidence = row["confidence"]
        shown.add_row(
            f"{row['timestamp']:%Y-%m-%d %H:%M:%S}",
            "" if row["pagenum"] is None else str(row["pagenum"]),
            plain(short_name(row["path"])),
            plain(one_line(row["text"])),
            "" if confidence is None else f"{confidence:.1f}",
            plain(_remark(row)),
        )
    return shown

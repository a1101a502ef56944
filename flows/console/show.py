"""Show rows of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from inkstream.flows.text import TEXT_WIDTH, one_line, plain, print_json, short_name

if TYPE_CHECKING:
    import pyarrow as pa


def _remark(row: dict[str, Any]) -> str:
    """Return what the last column shows: the failure, else the notes, which an older table lacks."""
    if row["exception"]:
        return f"{row['exception_kind']}: {row['exception']}"
    return f"note: {row['notes']}" if row.get("notes") else ""


def print_rows(sink_url: str, version: int | None, limit: int, *, as_json: bool) -> None:
    """Print the newest rows of a sink's pages."""
    from inkstream.tasks.sinks.opening import open_existing
    from inkstream.tasks.sinks.sql import newest_rows
    from inkstream.tasks.sinks.versioned import VersionedSink, require_versions

    sink = open_existing(sink_url)
    if version is not None or isinstance(sink, VersionedSink):
        snapshot = require_versions(sink).snapshot(version)
        rows, shown = newest_rows(snapshot, limit=limit), f"version {snapshot.version} of {snapshot.url}"
    else:
        rows, shown = sink.rows(limit=limit), sink.description
    if as_json:
        for row in rows.to_pylist():
            print_json(row)
        return
    console = table_console()
    console.print(rows_table(rows))
    console.print(shown, markup=False, soft_wrap=True)


def table_console() -> Console:
    """Return a console that is as wide as the terminal, or wide enough for the table where there is none."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=160)


def rows_table(rows: pa.Table) -> Table:
    """Return rows of the pages table as a table for the terminal."""
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

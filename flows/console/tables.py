"""Tables for the terminal, and the console that is wide enough for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from inkstream.flows.text import TEXT_WIDTH, one_line, plain, short_name

if TYPE_CHECKING:
    import pyarrow as pa

_WIDTH = 160


def table_console() -> Console:
    """Return a console as wide as the terminal, or wide enough for the table if there is no terminal."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=_WIDTH)


def rows_table(rows: pa.Table) -> Table:
    """Return rows of the pages table as a table for the terminal."""
    table = Table(show_lines=False, pad_edge=False)
    for name, options in (
        ("timestamp", {"no_wrap": True}),
        ("pagenum", {"justify": "right"}),
        ("path", {"no_wrap": True, "max_width": 28}),
        ("text", {"no_wrap": True, "max_width": TEXT_WIDTH}),
        ("confidence", {"justify": "right", "no_wrap": True}),
        ("exception", {"overflow": "fold"}),
    ):
        table.add_column(name, **options)
    for row in rows.to_pylist():
        table.add_row(
            f"{row['timestamp']:%Y-%m-%d %H:%M:%S}",
            "" if row["pagenum"] is None else str(row["pagenum"]),
            plain(short_name(row["path"])),
            plain(one_line(row["text"])),
            "" if row["confidence"] is None else f"{row['confidence']:.1f}",
            plain(_remark(row)),
        )
    return table


def _remark(row: dict[str, Any]) -> str:
    """Return what the last column says: the failure, or else the notes, which older tables lack."""
    if row["exception"]:
        return f"{row['exception_kind']}: {row['exception']}"
    return f"note: {row['notes']}" if row.get("notes") else ""

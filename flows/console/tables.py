"""Tables for the terminal, and the console that is wide enough for them."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from inkstream.flows.console.terminal import Terminal
from inkstream.flows.text import one_line, short_name, visible

if TYPE_CHECKING:
    import pyarrow as pa

_WIDTH = 160
_WIDTH_WITH_TIMES = 110
"""On a terminal at least this wide, each row also shows when it was read."""
_FILE_WIDTH = 28
_TIME_WIDTH = 21
_OTHER_WIDTH = 2 + 7 + 7 + 2
"""Width of the page and confidence columns, and the space between columns."""


def table_console() -> Terminal:
    """Return a console as wide as the terminal, or wide enough for a table if there is no terminal."""
    terminal = Terminal(highlight=False)
    return terminal if terminal.is_terminal else Terminal(highlight=False, width=_WIDTH)


def plain_table(*columns: str, right: Collection[str] = ()) -> Table:
    """Return an empty table without lines.

    Args:
        columns: The headings; long cells are folded.
        right: Headings of the columns to align right.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def print_rows(console: Terminal, rows: pa.Table) -> None:
    """Print rows of the pages table, one line each: the text, or the failure."""
    with_times = console.width >= _WIDTH_WITH_TIMES
    headings = ("read", "file", "page", "conf.", "text") if with_times else ("file", "page", "conf.", "text")
    table = plain_table(*headings, right=("page", "conf."))
    listed = rows.to_pylist()
    names = [Text(visible(short_name(row["path"]))) for row in listed]
    file_width = min(_FILE_WIDTH, max((name.cell_len for name in names), default=0))
    text_width = console.width - file_width - _OTHER_WIDTH - (_TIME_WIDTH if with_times else 0)
    for row, name in zip(listed, names, strict=True):
        content = _content(row)
        name.truncate(file_width, overflow="ellipsis")
        content.truncate(text_width, overflow="ellipsis")
        page = "" if row["pagenum"] is None else str(row["pagenum"] + 1)
        confidence = "" if row["confidence"] is None else f"{row['confidence']:.1f}"
        made = (f"{row['timestamp']:%Y-%m-%d %H:%M:%S}",) if with_times else ()
        table.add_row(*made, name, page, confidence, content)
    console.print(table)


def _content(row: dict[str, Any]) -> Text:
    """Return a row's notes, which older tables lack, and its text, or its failure."""
    if row["exception"]:
        return Text(visible(f"{row['exception_kind']}: {row['exception']}"), style="red")
    note = Text(f"({visible(row['notes'])}) " if row.get("notes") else "", style="yellow")
    return note.append(visible(one_line(row["text"])), style="default")

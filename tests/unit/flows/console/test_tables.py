"""Rows of the pages table on a terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pyarrow as pa
from rich.console import Console

from inkstream.flows.console.tables import rows_table, table_console

ROW = {
    "timestamp": datetime(2026, 11, 5, 18, 30, tzinfo=UTC),
    "pagenum": 0,
    "path": "file:///in/a%20b.pdf",
    "text": "one\ntwo",
    "confidence": 91.26,
    "exception": None,
    "exception_kind": None,
}


def shown(*rows: dict[str, object]) -> list[str]:
    console = Console(file=io.StringIO(), width=160)
    console.print(rows_table(pa.Table.from_pylist([ROW | row for row in rows])))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()[3:-1]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│").split("│")]


def test_a_page_is_one_line() -> None:
    (line,) = shown({})
    assert cells(line) == ["2026-11-05 18:30:00", "0", "a b.pdf", "one two", "91.3", ""]


def test_a_failure_and_a_note_are_in_the_last_column() -> None:
    failed = {
        "text": None,
        "confidence": None,
        "pagenum": None,
        "exception": "it is damaged",
        "exception_kind": "corrupt",
    }
    first, second = shown({**failed, "notes": "repaired"}, {"notes": "repaired"})
    assert cells(first)[1:] == ["", "a b.pdf", "", "", "corrupt: it is damaged"]
    assert cells(second)[-1] == "note: repaired"


def test_text_of_a_document_cannot_style_the_terminal() -> None:
    (line,) = shown({"text": "[red]\x1b[31mtext", "path": "file:///in/%5Bb%5D.pdf"})
    assert cells(line)[2:4] == ["[b].pdf", "[red]�[31mtext"]


def test_without_a_terminal_there_is_room_for_a_row() -> None:
    assert table_console().width == 160

"""Rows of the pages table on a terminal."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pyarrow as pa

from inkstream.flows.console.tables import plain_table, print_rows, table_console
from inkstream.flows.console.terminal import Terminal

ROW = {
    "timestamp": datetime(2026, 11, 5, 18, 30, tzinfo=UTC),
    "pagenum": 0,
    "path": "file:///in/a%20b.pdf",
    "text": "one\ntwo",
    "confidence": 91.26,
    "exception": None,
    "exception_kind": None,
}


def shown(*rows: dict[str, object], width: int = 80) -> list[str]:
    console = Terminal(file=io.StringIO(), width=width)
    print_rows(console, pa.Table.from_pylist([ROW | row for row in rows]))
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    return [" ".join(line.split()) for line in lines]


def test_a_page_is_one_line_in_80_columns() -> None:
    assert shown({}) == ["file page conf. text", "a b.pdf 1 91.3 one two"]
    _, line = shown({"path": "file:///in/" + "x" * 60, "text": "long " * 50})
    assert line == f"{'x' * 27}… 1 91.3 long long long long long long lon…"


def test_a_wide_terminal_also_shows_the_time() -> None:
    assert shown({}, width=120)[1].startswith("2026-11-05 18:30:00 a b.pdf 1 91.3 ")


def test_a_failure_replaces_the_text_and_a_note_precedes_it() -> None:
    failed = {
        "text": None,
        "confidence": None,
        "pagenum": None,
        "exception": "it is damaged",
        "exception_kind": "corrupt",
    }
    _, first, second = shown({**failed, "notes": "repaired"}, {"notes": "repaired"})
    assert first == "a b.pdf corrupt: it is damaged"
    assert second == "a b.pdf 1 91.3 (repaired) one two"


def test_text_of_a_document_cannot_style_the_terminal() -> None:
    _, line = shown({"text": "[red]\x1b[31mtext", "path": "file:///in/%5Bb%5D.pdf"})
    assert line == "[b].pdf 1 91.3 [red]�[31mtext"


def test_a_plain_table_has_no_borders() -> None:
    console = Terminal(file=io.StringIO(), width=30)
    table = plain_table("file", "size", right=("size",))
    table.add_row("a.pdf", "5 B")
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    assert [line.rstrip() for line in console.file.getvalue().splitlines()] == ["file   size", "a.pdf   5 B"]


def test_output_that_is_not_a_terminal_is_160_columns_wide() -> None:
    assert table_console().width == 160

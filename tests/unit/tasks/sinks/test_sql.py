"""SQL literals and conditions, and the shared queries on two engines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.sql import (
    any_of,
    committed_since,
    modified_since,
    newest_rows,
    partly_read,
    sql_name,
    sql_text,
    version_predicate,
)
from inkstream.tasks.sinks.versioned import TableSnapshot
from tests.integration.tasks.sinks.sqlite_sink.snapshot import ArrowSnapshot

TIMES = [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2)]
ODD = 'it\'s "odd".pdf'


def test_literals_are_quoted_and_long_alternatives_balanced() -> None:
    assert sql_text("o'clock") == "'o''clock'"
    assert sql_name('a"b') == '"a""b"'
    assert version_predicate(("it's", "e", 7)) == "(path = 'it''s' AND etag = 'e' AND length = 7)"
    assert any_of([]) == "false"
    nested = any_of(f"a = {number}" for number in range(1000))
    assert nested.count("a = ") == 1000
    assert nested.count("(") == nested.count(")")


def row(path: str, page: int | None, batch: int, *, of: int | None = 2, stream: str = "main") -> dict[str, object]:
    stamps = {"batch_id": batch, "timestamp": TIMES[batch], "modification_time": TIMES[0]}
    return {"stream": stream, "path": path, "etag": "e", "length": 1, "pagenum": page, "total_pages": of, **stamps}


ROWS = [
    row("a", 0, 0),
    row("a", 1, 0),
    row(ODD, 0, 1),
    row("uncounted", None, 1, of=None),
    row("theirs", 0, 1, of=1, stream="other"),
]


def delta(folder: Path, rows: pa.Table) -> TableSnapshot:
    pages = PagesTable(str(folder))
    write_deltalake(pages.create(), rows, mode="append")
    return pages.snapshot()


def arrow(folder: Path, rows: pa.Table) -> TableSnapshot:
    return ArrowSnapshot(str(folder), 1, rows, {})


@pytest.mark.parametrize("engine", [delta, arrow])
def test_the_shared_queries_give_the_same_rows_on_both_engines(
    engine: Callable[[Path, pa.Table], TableSnapshot], tmp_path: Path
) -> None:
    pages = engine(tmp_path, pa.Table.from_pylist(ROWS, PAGES_SCHEMA))
    newest = newest_rows(pages, columns=["path", "pagenum"]).to_pylist()
    assert [(page["path"], page["pagenum"]) for page in newest] == [
        (ODD, 0),
        ("uncounted", None),
        ("theirs", 0),
        ("a", 0),
        ("a", 1),
    ]
    assert newest_rows(pages, stream="other").num_rows == 1
    assert newest_rows(pages, limit=2).schema.names == PAGES_SCHEMA.names
    assert partly_read(pages, "main").to_pylist() == [{"path": ODD, "etag": "e", "length": 1}]
    assert committed_since(pages, "main", 0) == {(ODD, "e", 1), ("uncounted", "e", 1)}
    assert modified_since(pages, "other", 0) == {("theirs", "e", 1): TIMES[0]}
    assert committed_since(pages, "main", 1) == frozenset()

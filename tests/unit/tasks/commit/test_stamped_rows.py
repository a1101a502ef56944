"""Rows that are stamped for a commit."""

from __future__ import annotations

import pyarrow as pa
import pytest

from inkstream.ocr_core.errors import TransientError
from inkstream.tasks.commit.operations import Append
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.commit.stamped_rows import CommitRows
from inkstream.tasks.rows import PAGES_SCHEMA
from tests.unit.tasks.commit.test_spool import pages

APPEND = Append(files=(1, 0), batch_id=7, commit_id="mine")


def test_rows_come_file_by_file_with_the_stamps_of_the_commit() -> None:
    with ResultSpool() as spool:
        spool.add(0, pages(2, 3))
        spool.add(0, pages(0))
        spool.add(1, pages(5))
        spool.add(2, pages(6))
        rows = pa.Table.from_batches(list(CommitRows(spool, APPEND, PAGES_SCHEMA).batches()))
    assert rows.schema == PAGES_SCHEMA
    assert rows.column("pagenum").to_pylist() == [5, 0, 2, 3]
    assert set(rows.column("batch_id").to_pylist()) == {7}
    assert len(set(rows.column("timestamp").to_pylist())) == 1


def test_rows_are_converted_to_the_columns_of_the_table() -> None:
    table = pa.schema([("pagenum", pa.int64()), ("label", pa.string()), ("batch_id", pa.int64())])
    with ResultSpool() as spool:
        stamped_before = pages(0).append_column("batch_id", pa.array([3], pa.int64()))
        spool.add(0, stamped_before)
        (batch,) = CommitRows(spool, Append((0,), 8, "mine"), table).batches()
    assert batch.schema == table
    assert batch.to_pylist() == [{"pagenum": 0, "label": None, "batch_id": 8}]


def test_an_error_while_reading_is_kept_in_its_original_type(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> object:
        raise TransientError("the disk is gone")

    monkeypatch.setattr(ResultSpool, "read", fail)
    with ResultSpool() as spool:
        rows = CommitRows(spool, APPEND, PAGES_SCHEMA)
        with pytest.raises(Exception, match="the disk is gone"):
            rows.reader().read_all()
    assert isinstance(rows.error, TransientError)

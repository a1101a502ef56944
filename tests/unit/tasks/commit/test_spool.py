"""Rows on disk between arrival and commit."""

from __future__ import annotations

import threading
from pathlib import Path

import pyarrow as pa
import pytest

from inkstream.ocr_core.errors import FailureKind
from inkstream.ocr_core.page import Failure, PageResult, nothing_selected
from inkstream.tasks.commit.spool import ResultSpool
from tests.unit.tasks.test_rows import rows_of


def pages(*numbers: int, total: int = 9) -> pa.RecordBatch:
    return rows_of(*(PageResult(number, total, f"page {number}") for number in numbers))


def test_a_file_is_whole_with_only_its_selected_pages() -> None:
    def selected(total: int) -> list[int]:
        return [0, total - 1]

    with ResultSpool() as spool:
        spool.add(0, pages(0))
        with pytest.raises(ValueError, match="one row for each page"):
            spool.require_whole(0, selected)
        spool.add(0, pages(8))
        spool.require_whole(0, selected)
        with pytest.raises(ValueError, match="one row for each page"):
            spool.require_whole(0)
        spool.add(1, rows_of(nothing_selected(9, "10-")))
        spool.require_whole(1, lambda _: ())
        with pytest.raises(ValueError, match="one row for each page"):
            spool.require_whole(1, selected)


def test_a_spool_can_be_read_repeatedly_in_page_order() -> None:
    with ResultSpool() as spool:
        spool.add(1, pages(0, 1, total=2))
        spool.add(0, pages(2, 3, total=4))
        spool.add(0, pages(0, 1, total=4))
        for _ in range(2):
            assert [n for batch in spool.read(0) for n in batch["pagenum"].to_pylist()] == [0, 1, 2, 3]
        assert spool.pages(0) == {0, 1, 2, 3}
        assert list(spool.read(5)) == []
        spool.require_whole(0)


def test_a_range_that_comes_twice_is_kept_once() -> None:
    with ResultSpool() as spool:
        spool.add(0, pages(0, 1))
        spool.add(0, pages(0, 1))
        spool.add(0, pages(1))
        assert sum(batch.num_rows for batch in spool.read(0)) == 2


@pytest.mark.parametrize("numbers", [(1, 2), (), (3, 3)])
def test_overlapping_empty_and_repeated_ranges_are_refused(numbers: tuple[int, ...]) -> None:
    with ResultSpool() as spool:
        spool.add(0, pages(0, 1))
        with pytest.raises(ValueError, match="overlap"):
            spool.add(0, pages(*numbers))


@pytest.mark.parametrize("numbers", [(1,), (0, 2)])
def test_a_file_with_missing_pages_is_not_whole(numbers: tuple[int, ...]) -> None:
    with ResultSpool() as spool:
        spool.add(0, pages(*numbers))
        with pytest.raises(ValueError, match="one row for each page"):
            spool.require_whole(0)
        with pytest.raises(ValueError, match="one row for each page"):
            spool.require_whole(1)


def test_a_file_whose_pages_cannot_be_counted_is_whole_with_one_row() -> None:
    with ResultSpool() as spool:
        spool.add(0, rows_of(PageResult(None, None, failure=Failure(FailureKind.CORRUPT, "torn"))))
        spool.require_whole(0)


def test_a_spool_leaves_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with ResultSpool() as spool:
        spool.add(0, pages(0))
        assert list(tmp_path.iterdir()) == []


def test_threads_share_a_spool() -> None:
    with ResultSpool() as spool:
        threads = [threading.Thread(target=spool.add, args=(i, pages(*range(20)))) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(sum(b.num_rows for b in spool.read(i)) == 20 for i in range(8))

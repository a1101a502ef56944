"""A page range that is read in three parts has the same result as one that is read at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import FailureKind, TransientError
from inkstream.ocr_core.page import PageResult
from inkstream.ocr_core.workers.page_worker import ReadPage
from inkstream.tasks.work.page_range import FilePages, RangeResult, Unforeseen, run_range
from inkstream.tasks.work.page_range_in_parts import BegunRange, ReadRange, begin_range, finish_range, read_range
from tests.faults.documents import tiny_pdf
from tests.unit.tasks.work.test_page_range import job

VOLATILE = {"processing_ms"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.pdf").write_bytes(tiny_pdf(*[f"this is page number {n}" for n in range(3)]))
    return inbox


def pages_of(begun: BegunRange) -> FilePages[ReadPage]:
    """Return what a reader passes on for a file whose pages have no lines to read."""
    pages: list[ReadPage | PageResult] = [page for page in begun.file.pages if isinstance(page, PageResult)]
    return FilePages(begun.file.total, pages, begun.file.content_hash, begun.file.version_id)


def test_pages_without_lines_give_the_same_rows_in_parts_as_at_once(folder: Path) -> None:
    range_job = job(folder)
    begun = begin_range(range_job)
    assert isinstance(begun, BegunRange)
    assert begun.file.total == 3
    read = ReadRange(pages_of(begun), {}, begun.seconds, 1 << 60)
    in_parts, whole = finish_range(range_job, read), run_range(range_job)
    assert isinstance(in_parts, RangeResult)
    assert isinstance(whole, RangeResult)
    assert in_parts.peak_rss == 1 << 60
    for part_row, whole_row in zip(in_parts.rows.to_pylist(), whole.rows.to_pylist(), strict=True):
        assert {name: part_row[name] for name in part_row.keys() - VOLATILE} == {
            name: whole_row[name] for name in whole_row.keys() - VOLATILE
        }


def test_a_file_that_is_too_large_is_a_failure_of_each_page(folder: Path) -> None:
    with (folder / "a.pdf").open("ab") as file:
        file.truncate(2 << 20)
    begun = begin_range(job(folder, 1, 2, total=3))
    assert isinstance(begun, BegunRange)
    failures = [page.failure for page in begun.file.pages if isinstance(page, PageResult)]
    assert [failure and failure.kind for failure in failures] == [FailureKind.LIMIT] * 2
    assert (begun.file.total, begun.file.content_hash) == (3, None)


@pytest.mark.parametrize("fault", [TransientError("later"), Unforeseen("KeyError: 'x'")])
def test_a_fault_is_passed_through_the_later_parts(folder: Path, fault: TransientError | Unforeseen) -> None:
    range_job = job(folder)
    assert read_range(range_job, fault) is fault
    assert finish_range(range_job, fault) is fault


def test_time_adds_up_over_the_parts(folder: Path) -> None:
    begun = begin_range(job(folder))
    assert isinstance(begun, BegunRange)
    read = ReadRange(pages_of(begun), {}, begun.seconds + 100.0, begun.peak_rss)
    started = time.perf_counter()
    result = finish_range(job(folder), read)
    assert isinstance(result, RangeResult)
    assert 100_000 <= result.milliseconds <= 100_000 + (time.perf_counter() - started + begun.seconds) * 1000

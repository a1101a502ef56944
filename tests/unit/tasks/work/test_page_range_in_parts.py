"""A page range in three parts has the same result as in one."""

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
    made = tmp_path / "inbox"
    made.mkdir()
    (made / "a.pdf").write_bytes(tiny_pdf(*[f"this is page number {n}" for n in range(3)]))
    return made


def pages_of(begun: BegunRange) -> FilePages[ReadPage]:
    """Return what a reader passes on for a file whose pages have no lines to read."""
    pages: list[ReadPage | PageResult] = [page for page in begun.file.pages if isinstance(page, PageResult)]
    return FilePages(begun.file.total, pages, begun.file.content_hash, begun.file.version_id)


def test_pages_without_lines_to_read_are_done_when_they_are_begun(folder: Path) -> None:
    asked = job(folder)
    begun = begin_range(asked)
    assert isinstance(begun, BegunRange)
    assert begun.file.total == 3
    read = ReadRange(pages_of(begun), {}, begun.seconds, 1 << 60)
    done, whole = finish_range(asked, read), run_range(asked)
    assert isinstance(done, RangeResult)
    assert isinstance(whole, RangeResult)
    assert done.peak_rss == 1 << 60
    for one, other in zip(done.rows.to_pylist(), whole.rows.to_pylist(), strict=True):
        assert {name: one[name] for name in one.keys() - VOLATILE} == {
            name: other[name] for name in other.keys() - VOLATILE
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
def test_a_fault_is_handed_on(folder: Path, fault: TransientError | Unforeseen) -> None:
    asked = job(folder)
    assert read_range(asked, fault) is fault
    assert finish_range(asked, fault) is fault


def test_time_adds_up_over_the_parts(folder: Path) -> None:
    begun = begin_range(job(folder))
    assert isinstance(begun, BegunRange)
    read = ReadRange(pages_of(begun), {}, begun.seconds + 100.0, begun.peak_rss)
    started = time.perf_counter()
    done = finish_range(job(folder), read)
    assert isinstance(done, RangeResult)
    assert 100_000 <= done.milliseconds <= 100_000 + (time.perf_counter() - started + begun.seconds) * 1000

"""The function that runs on a worker, called as a worker calls it."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import EnvironmentFault, FailureKind, SourceChangedError
from inkstream.ocr_core.options import PipelineOptions, RecognizeOptions, TextLayerMode, TextLayerOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.tasks.config import SourceOptions
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores.copies import CopiesFolder
from inkstream.tasks.work.page_range import RangeJob, RangeResult, run_range
from tests.faults.documents import tiny_pdf

PIPELINE = PipelineOptions(text_layer=TextLayerOptions(mode=TextLayerMode.ONLY)).canonical()


def job(folder: Path, *pages: int, total: int | None = None, pipeline: str = PIPELINE) -> RangeJob:
    (file,) = list_files(SourceOptions(url=str(folder)))
    limits, sink = LimitOptions(max_file_mb=1), str(folder.parent / "tables")
    return RangeJob(file, pages, 2, total, "main", pipeline, limits, sink, CopiesFolder(uuid.uuid4().hex, 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "inbox"
    made.mkdir()
    (made / "a.pdf").write_bytes(tiny_pdf(*[f"this is page number {n}" for n in range(5)]))
    return made


def test_the_first_range_counts_the_pages(folder: Path) -> None:
    done = run_range(job(folder))
    assert isinstance(done, RangeResult)
    assert done.total == 5
    assert done.rows.column("pagenum").to_pylist() == [0, 1]
    assert done.rows.column("text").to_pylist() == ["this is page number 0", "this is page number 1"]
    assert done.confidence_sum == 200
    assert done.confidence_count == 2


def test_a_later_range_reads_the_pages_it_names(folder: Path) -> None:
    done = run_range(job(folder, 1, 4, total=5))
    assert isinstance(done, RangeResult)
    assert done.rows.column("pagenum").to_pylist() == [1, 4]


@pytest.mark.parametrize(("selection", "pages"), [("2,4-5", [1, 3]), ("last", [4]), ("6-", [None])])
def test_only_pages_that_are_to_be_read_are(folder: Path, selection: str, pages: list[int | None]) -> None:
    chosen = PipelineOptions(pages=selection, text_layer=TextLayerOptions(mode=TextLayerMode.ONLY))
    done = run_range(job(folder, pipeline=chosen.canonical()))
    assert isinstance(done, RangeResult)
    assert done.total == 5
    assert done.rows.column("pagenum").to_pylist() == pages
    assert done.rows.column("total_pages").to_pylist() == [5] * len(pages)
    assert done.kinds == ()


def test_a_file_of_which_no_page_is_to_be_read_has_a_row_that_says_so(folder: Path) -> None:
    chosen = PipelineOptions(pages="6-", text_layer=TextLayerOptions(mode=TextLayerMode.ONLY))
    done = run_range(job(folder, pipeline=chosen.canonical()))
    assert isinstance(done, RangeResult)
    (row,) = done.rows.to_pylist()
    assert (row["text"], row["exception"]) == ("", None)
    assert row["notes"] == "none of its 5 pages is among those to read (6-)"


@pytest.mark.parametrize(("pages", "total", "rows"), [((), None, [None]), ((2, 3), 5, [2, 3]), ((4,), 5, [4])])
def test_a_file_that_cannot_be_read_is_a_row_for_each_page_it_owes(
    folder: Path, pages: tuple[int, ...], total: int | None, rows: list[int | None]
) -> None:
    with (folder / "a.pdf").open("ab") as file:
        file.truncate(2 << 20)
    done = run_range(job(folder, *pages, total=total))
    assert isinstance(done, RangeResult)
    assert done.total == total
    assert done.rows.column("pagenum").to_pylist() == rows
    assert set(done.rows.column("exception_kind").to_pylist()) == {FailureKind.LIMIT}


def test_faults_that_are_not_the_documents_come_back_as_values(folder: Path, tmp_path: Path) -> None:
    stale = job(folder)
    (folder / "a.pdf").write_bytes(b"%PDF-1.4 something else")
    assert isinstance(run_range(stale), SourceChangedError)
    lacking = PipelineOptions(recognize=RecognizeOptions(tessdata=str(tmp_path))).canonical()
    answer = run_range(job(folder, pipeline=lacking))
    assert isinstance(answer, EnvironmentFault)
    assert answer.remedy

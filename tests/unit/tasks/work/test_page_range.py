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
    return RangeJob(file, pages, 2, total, "main", pipeline, limits, sink, True, CopiesFolder(uuid.uuid4().hex, 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "a.pdf").write_bytes(tiny_pdf(*[f"this is page number {n}" for n in range(5)]))
    return inbox


def test_the_first_range_counts_the_pages(folder: Path) -> None:
    result = run_range(job(folder))
    assert isinstance(result, RangeResult)
    assert result.total == 5
    assert result.rows.column("pagenum").to_pylist() == [0, 1]
    assert result.rows.column("text").to_pylist() == ["this is page number 0", "this is page number 1"]
    assert result.confidence_sum == 200
    assert result.confidence_count == 2


def test_a_later_range_reads_the_pages_it_names(folder: Path) -> None:
    result = run_range(job(folder, 1, 4, total=5))
    assert isinstance(result, RangeResult)
    assert result.rows.column("pagenum").to_pylist() == [1, 4]


@pytest.mark.parametrize(("selection", "pages"), [("2,4-5", [1, 3]), ("last", [4]), ("6-", [None])])
def test_only_selected_pages_are_read(folder: Path, selection: str, pages: list[int | None]) -> None:
    chosen = PipelineOptions(pages=selection, text_layer=TextLayerOptions(mode=TextLayerMode.ONLY))
    result = run_range(job(folder, pipeline=chosen.canonical()))
    assert isinstance(result, RangeResult)
    assert result.total == 5
    assert result.rows.column("pagenum").to_pylist() == pages
    assert result.rows.column("total_pages").to_pylist() == [5] * len(pages)
    assert result.kinds == ()


def test_a_file_without_selected_pages_has_one_row_with_a_note(folder: Path) -> None:
    chosen = PipelineOptions(pages="6-", text_layer=TextLayerOptions(mode=TextLayerMode.ONLY))
    result = run_range(job(folder, pipeline=chosen.canonical()))
    assert isinstance(result, RangeResult)
    (row,) = result.rows.to_pylist()
    assert (row["text"], row["exception"]) == ("", None)
    assert row["notes"] == "none of its 5 pages is among those to read (6-)"


@pytest.mark.parametrize(("pages", "total", "rows"), [((), None, [None]), ((2, 3), 5, [2, 3]), ((4,), 5, [4])])
def test_a_file_over_the_limit_has_a_failed_row_for_each_page(
    folder: Path, pages: tuple[int, ...], total: int | None, rows: list[int | None]
) -> None:
    with (folder / "a.pdf").open("ab") as file:
        file.truncate(2 << 20)
    result = run_range(job(folder, *pages, total=total))
    assert isinstance(result, RangeResult)
    assert result.total == total
    assert result.rows.column("pagenum").to_pylist() == rows
    assert set(result.rows.column("exception_kind").to_pylist()) == {FailureKind.LIMIT}


def test_faults_that_are_not_the_documents_are_returned_as_values(folder: Path, tmp_path: Path) -> None:
    stale = job(folder)
    (folder / "a.pdf").write_bytes(b"%PDF-1.4 something else")
    assert isinstance(run_range(stale), SourceChangedError)
    lacking = PipelineOptions(recognize=RecognizeOptions(tessdata=str(tmp_path))).canonical()
    answer = run_range(job(folder, pipeline=lacking))
    assert isinstance(answer, EnvironmentFault)
    assert answer.remedy

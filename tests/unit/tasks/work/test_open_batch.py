"""The effect of each worker's answer on the files of a batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, FailureKind, TransientError
from inkstream.ocr_core.page import PageResult
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import Batch, PagesAgain, Redo
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.work.dispatch import PageRange
from inkstream.tasks.work.open_batch import OpenBatch
from inkstream.tasks.work.page_range import RangeResult, Unforeseen
from tests.unit.tasks.test_rows import FILE


def result(*pages: int, total: int, content_hash: str = "h", failed: tuple[FailureKind, ...] = ()) -> RangeResult:
    results = [PageResult(page, total, "text", 90.0) for page in pages]
    same: dict[str, Any] = {"stream": "main", "pipeline_id": "p", "version_id": None}
    rows = page_rows(FILE, results, content_hash=content_hash, overlay_paths=[None] * len(pages), **same)
    return RangeResult(rows, total, failed, 90.0 * len(pages), len(pages), "p", {"tesseract": "5"}, 7, 10.0, ("url",))


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    return build_config(
        {
            "source": {"url": "in"},
            "sink": {"url": str(tmp_path)},
            "execution": {"pages_per_range": 2, "max_read_attempts": 2},
        }
    )


class OpenedBatch:
    """A batch of one file, and its reports."""

    def __init__(self, config: StreamConfig, redo: Redo | None = None) -> None:
        self.ranges: list[int] = []
        self.batch = OpenBatch(
            config,
            Batch("main", "attempt", (FILE,), -1, redo),
            open_sink(config.sink),
            lambda _batch, _index, done: self.ranges.append(done.rows.num_rows),
        )

    def next(self) -> PageRange:
        work = self.batch.dispatch.next()
        assert work is not None
        return work


@pytest.fixture
def opened(config: StreamConfig) -> Iterator[OpenedBatch]:
    opened_batch = OpenedBatch(config)
    yield opened_batch
    opened_batch.batch.processed.spool.close()


def test_a_file_is_complete_with_its_last_range(opened: OpenedBatch) -> None:
    batch = opened.batch
    probe = opened.next()
    assert batch.job(probe, "run").copies.name == "run"
    batch.take_answer(probe, result(0, 1, total=3))
    batch.take_answer(opened.next(), result(2, total=3, failed=(FailureKind.TIMEOUT,)))
    assert batch.dispatch.finished
    processed = batch.finish()
    (report,) = processed.files
    assert (processed.complete, report.pages, report.failed_pages, report.left_out) == ([0], 3, 1, None)
    assert (report.confidence_sum, report.confidence_count, report.overlays) == (270.0, 3, ["url", "url"])
    assert (processed.pipelines, processed.peak_rss) == ({"p": {"tesseract": "5"}}, 7)
    assert opened.ranges == [2, 1]


def test_a_transient_fault_is_tried_again_and_then_the_file_is_left_out(opened: OpenedBatch) -> None:
    for _ in range(2):
        opened.batch.take_answer(opened.next(), TransientError("the store is busy"))
    processed = opened.batch.finish()
    assert (processed.complete, processed.files[0].left_out) == ([], "the store is busy")


def test_a_range_whose_result_is_lost_is_read_again(opened: OpenedBatch) -> None:
    opened.batch.take_loss(opened.next())
    opened.batch.take_answer(opened.next(), result(0, total=1))
    assert opened.batch.finish().complete == [0]


def test_an_unforeseen_exception_becomes_a_failed_row(opened: OpenedBatch) -> None:
    opened.batch.take_answer(opened.next(), Unforeseen("KeyError: 'x'"))
    processed = opened.batch.finish()
    (row,) = [row for rows in processed.spool.read(0) for row in rows.to_pylist()]
    assert (row["pagenum"], row["exception_kind"], row["exception"]) == (None, "internal", "KeyError: 'x'")
    assert processed.complete == [0]


def test_a_page_that_kills_its_workers_becomes_a_failed_row(opened: OpenedBatch) -> None:
    opened.batch.take_answer(opened.next(), result(0, 1, total=3))
    opened.batch.take_death(opened.next())
    suspect = opened.next()
    assert suspect.alone
    opened.batch.take_death(suspect)
    processed = opened.batch.finish()
    rows = [row for rows in processed.spool.read(0) for row in rows.to_pylist()]
    assert [(row["pagenum"], row["exception_kind"]) for row in rows] == [(0, None), (1, None), (2, "crash")]


@pytest.mark.parametrize("fault", [ConfigError("wrong"), EnvironmentFault("no tesseract", "install it")])
def test_other_faults_end_the_batch(opened: OpenedBatch, fault: ConfigError | EnvironmentFault) -> None:
    with pytest.raises(type(fault)):
        opened.batch.take_answer(opened.next(), fault)


def test_a_file_whose_content_differs_from_its_kept_rows_is_left_out(config: StreamConfig) -> None:
    redo = Redo(1, {0: PagesAgain(3, (1,), "the hash of its kept rows")})
    opened = OpenedBatch(config, redo)
    opened.batch.take_answer(opened.next(), result(1, total=3, content_hash="another hash"))
    processed = opened.batch.finish()
    assert "its content differs" in str(processed.files[0].left_out)
    processed.spool.close()

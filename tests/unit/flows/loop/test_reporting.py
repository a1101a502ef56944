"""The progress report of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from inkstream.flows.loop.reporting import BatchClock, batch_progress, count_batch, file_done, glob_notice, stream_id
from inkstream.ocr_core.errors import FailureKind
from inkstream.tasks.commit.operations import Committed
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import Batch
from inkstream.tasks.progress import Cleaned, Summary
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.work.open_batch import FileReport, ProcessedBatch
from tests.unit.tasks.test_rows import FILE

CONFIG: StreamConfig = build_config({"source": {"url": "/in"}, "sink": {"url": "/tables"}})


@pytest.fixture
def processed() -> Iterator[ProcessedBatch]:
    good = FileReport(FILE, pages=3, confidence_sum=180.0, confidence_count=2, kept_pages=1, overlays=["one", "two"])
    failed = FileReport(FILE, pages=2, failed_pages=2, kinds=Counter({FailureKind.TIMEOUT: 2}))
    left_out = FileReport(FILE, left_out="it is gone")
    with ResultSpool() as spool:
        yield ProcessedBatch(Batch("main", "a", (FILE,) * 3, -1), [good, failed, left_out], spool)


def test_the_batch_clock_adds_up_the_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([10.0, 12.0, 15.0])
    monkeypatch.setattr("inkstream.flows.loop.reporting.time.perf_counter", lambda: next(moments))
    clock = BatchClock(listing_ms=500.0)
    clock.mark_commit()
    assert clock.durations(1.5) == {
        "latestOffset": 500,
        "processBatch": 1500,
        "addBatch": 2000,
        "commitOffsets": 3000,
        "triggerExecution": 5500,
    }


def test_a_summary_counts_what_was_committed(processed: ProcessedBatch) -> None:
    summary = Summary(table="t")
    count_batch(summary, processed, Committed(0, 1, (0, 1), (), (5,)))
    assert (summary.batches, summary.files, summary.pages, summary.failed_pages) == (1, 2, 5, 2)
    assert (summary.kept_pages, summary.superseded, summary.overlays) == (1, 1, ["one"])
    assert summary.left_out == {FILE.path: "it is gone"}
    count_batch(summary, processed, None)
    count_batch(summary, processed, Committed(None, 1, (), (0, 1)))
    assert summary.batches == 1


def test_a_summary_counts_files_that_are_not_documents(processed: ProcessedBatch) -> None:
    processed.files[1].kinds = Counter({FailureKind.UNSUPPORTED: 1})
    summary = Summary(table="t")
    count_batch(summary, processed, Committed(0, 1, (0, 1), ()))
    assert (summary.not_documents, summary.to_json()["not_documents"]) == (1, 1)


def test_a_glob_that_matches_no_file_is_reported_with_a_remedy() -> None:
    skipped = Skipped()
    assert glob_notice("*.tif", 0, skipped) is None
    skipped.add(SkipReason.HIDDEN, "_a.tif")
    assert glob_notice("*.tif", 0, skipped) is None
    skipped.add(SkipReason.GLOB, "a.png")
    notice = str(glob_notice("*.tif", 0, skipped))
    assert "source.glob '*.tif' does not match the one file in the source, such as a.png: nothing was read." in notice
    assert "Correct source.glob: it is compared with a file's name, and upper and lower case differ." in notice
    skipped.add(SkipReason.GLOB, "b.png")
    assert "any of the 2 files" in str(glob_notice("*.tif", 0, skipped))
    assert "without its folder" in str(glob_notice("in/*", 0, skipped))
    assert glob_notice("*.tif", 1, skipped) is None
    skipped.add(SkipReason.UNSTABLE, "c.tif")
    assert glob_notice("*.tif", 0, skipped) is None


def test_progress_describes_what_the_batch_committed(processed: ProcessedBatch) -> None:
    durations = dict.fromkeys(("latestOffset", "addBatch", "commitOffsets", "processBatch"), 1)
    progress = batch_progress(
        CONFIG,
        processed,
        Committed(4, 9, (0, 1), ()),
        run_id="run",
        table="/tables/pages",
        begun_at="then",
        durations={**durations, "triggerExecution": 1000},
        cleaned=Cleaned(2, {}),
        skipped=Skipped(counts=Counter({SkipReason.GLOB: 7})),
    )
    assert progress["skipped"] == {"glob": 7}
    assert (progress["batchId"], progress["version"], progress["numInputRows"]) == (4, 9, 2)
    assert (progress["pages"], progress["failed_pages"], progress["failures"]) == (5, 2, {"timeout": 2})
    assert progress["sink"] == {"description": "delta /tables/pages", "numOutputRows": 6}
    assert (progress["left_out"], progress["cleaned"], progress["inputRowsPerSecond"]) == (1, 2, 2.0)
    assert progress["id"] == stream_id(CONFIG) != stream_id(CONFIG.model_copy(update={"stream": "other"}))


def test_a_report_of_a_file_has_its_confidence_kinds_and_overlays(processed: ProcessedBatch) -> None:
    good, failed, left_out = (file_done(report) for report in processed.files)
    assert (good.confidence, good.overlays) == (90.0, ("one", "two"))
    assert (failed.confidence, failed.kinds) == (None, {"timeout": 2})
    assert left_out.left_out == "it is gone"

"""A batch while its pages are read: what each result means for its files, and how failures are classified.

Dask's view of completed tasks never decides what is done: only the page results that were received do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from inkstream.ocr_core.errors import FailureKind, TransientError
from inkstream.ocr_core.pipeline.suspicion import EMPTY, UNSURE
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch, FileVersion, KnownBytes, Redo
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.stores.copies import CopiesFolder
from inkstream.tasks.work.dispatch import Dispatch, FileState, PageRange
from inkstream.tasks.work.kept_rows import keep_other_pages
from inkstream.tasks.work.page_range import (
    NotRead,
    RangeJob,
    RangeResult,
    SameBytes,
    Unforeseen,
    unreadable_result,
)


@dataclass(slots=True)
class FileReport:
    """The outcome of one file of a batch.

    Attributes:
        file: The file version.
        pages: Number of page results received.
        failed_pages: Number of them that are failures.
        kinds: Number of failures of each kind.
        left_out: Why the file is not committed this time, or None.
        milliseconds: Total wall time of its ranges on their workers.
        confidence_sum: Sum of its page confidences.
        confidence_count: Number of page confidences.
        overlays: URLs of the overlays written, in the order they arrived.
        kept_pages: Number of rows from the table that are kept, in addition to the `pages` that were read again.
        empty_pages: Number of pages with ink on which no word was read.
        unsure_pages: Number of pages with a very low confidence.
        unchanged: The version with rows that has the same bytes, if the file was not read for that reason.
    """

    file: FileVersion
    pages: int = 0
    failed_pages: int = 0
    kinds: Counter[FailureKind] = field(default_factory=Counter)
    left_out: str | None = None
    milliseconds: float = 0.0
    confidence_sum: float = 0.0
    confidence_count: int = 0
    overlays: list[str] = field(default_factory=list)
    kept_pages: int = 0
    empty_pages: int = 0
    unsure_pages: int = 0
    unchanged: KnownBytes | None = None


@dataclass(slots=True)
class ProcessedBatch:
    """A batch with all its page results.

    Attributes:
        batch: The planned batch.
        files: One report per planned file, in order.
        spool: The rows, by file index.
        pipelines: Engine versions of each `pipeline_id` in the rows.
        peak_rss: Highest resident memory of a worker with its child, in bytes.
        seconds: Wall time.
    """

    batch: Batch
    files: list[FileReport]
    spool: ResultSpool
    pipelines: dict[str, dict[str, str]] = field(default_factory=dict)
    peak_rss: int = 0
    seconds: float = 0.0

    @property
    def complete(self) -> list[int]:
        """Indices of the files whose every planned page has a result."""
        return [i for i, report in enumerate(self.files) if report.left_out is None and report.unchanged is None]

    @property
    def unchanged(self) -> list[FileReport]:
        """The reports of files that were not read, because their bytes have rows."""
        return [report for report in self.files if report.unchanged is not None]


OnRange = Callable[[Batch, int, RangeResult], None]
"""A function that is called with the batch, the file's index and the result of each page range that comes back."""


class OpenBatch:
    """A batch that is being processed.

    Args:
        config: The configuration for reading it.
        batch: The planned batch.
        sink: The sink that has the rows to keep.
        on_range: Called with each range that comes back.

    Attributes:
        processed: The results so far.
        dispatch: Decides which of its ranges runs next.
        error: An error that stops this batch but came while the batch before it was still open; otherwise None.
    """

    def __init__(self, config: StreamConfig, batch: Batch, sink: Sink, on_range: OnRange) -> None:
        self.processed = ProcessedBatch(batch, [FileReport(file) for file in batch.files], ResultSpool())
        self.error: Exception | None = None
        self._config = config
        self._sink = sink
        self._on_range = on_range
        self._pipeline = config.pipeline.canonical()
        self.dispatch = Dispatch(
            len(batch.files),
            pages_per_range=config.execution.pages_per_range,
            max_attempts=config.execution.max_read_attempts,
            selected=config.pipeline.selected,
            again=batch.redo.again if batch.redo else None,
        )

    def job(self, work: PageRange, run: str) -> RangeJob:
        """Return what a worker needs to run a range.

        Args:
            work: The range.
            run: Name of the run whose workers share copies of files.
        """
        batch = self.processed.batch
        file = batch.files[work.file]
        known = batch.possibly_unchanged.get(file.path)
        return RangeJob(
            file=file,
            pages=work.pages,
            count=work.count,
            total=work.total,
            stream=self._config.stream,
            pipeline=self._pipeline,
            limits=self._config.execution.limits,
            sink_url=self._config.sink.url,
            durable=self._config.sink.durable,
            copies=CopiesFolder(run, self._config.execution.copies_mb),
            known_bytes=known.content_hash if known else None,
            rows_from=batch.redo.content_hashes.get(work.file) if batch.redo else None,
        )

    def finish(self) -> ProcessedBatch:
        """Return the results after the last range has ended. The caller closes their spool.

        Raises:
            InkstreamError: If the rows to keep cannot be read.
        """
        processed = self.processed
        for index, report in enumerate(processed.files):
            if self.dispatch.state(index) is FileState.LEFT_OUT:
                report.left_out = self.dispatch.reason(index)
        for index in processed.complete:
            kept = keep_other_pages(self._sink, processed.batch, index, processed.spool)
            processed.files[index].kept_pages = kept
        return processed

    def take_answer(self, work: PageRange, answer: RangeResult | NotRead) -> None:
        """Record a range's answer from its worker.

        Raises:
            InkstreamError: If the batch cannot continue.
        """
        if isinstance(answer, RangeResult):
            self._succeeded(work, answer)
        elif isinstance(answer, SameBytes):
            batch = self.processed.batch
            self.processed.files[work.file].unchanged = batch.possibly_unchanged[batch.files[work.file].path]
            self.dispatch.skip_unchanged(work)
        elif isinstance(answer, Unforeseen):
            self._blame(work, FailureKind.INTERNAL, answer.message)
        elif isinstance(answer, TransientError):
            path = self.processed.batch.files[work.file].path
            self.dispatch.failed_for_now(work, str(answer).removeprefix(f"{path}: "))
        else:
            raise answer

    def _succeeded(self, work: PageRange, result: RangeResult) -> None:
        processed = self.processed
        if processed.batch.redo and self._other_bytes(work, result, processed.batch.redo):
            reason = (
                "its content differs from what its other pages were read from; `inkstream reprocess` reads it whole"
            )
            self.dispatch.failed_for_good(work, reason)
            return
        results = result.rows.num_rows
        processed.pipelines.setdefault(result.pipeline_id, result.engine_versions)
        processed.peak_rss = max(processed.peak_rss, result.peak_rss)
        report = processed.files[work.file]
        report.milliseconds += result.milliseconds
        report.confidence_sum += result.confidence_sum
        report.confidence_count += result.confidence_count
        report.overlays.extend(result.overlays)
        for note in result.rows.column("notes").drop_null().to_pylist():
            report.empty_pages += EMPTY in note
            report.unsure_pages += UNSURE in note
        self._account(work, result.rows, result.kinds)
        self.dispatch.succeeded(work, total=result.total, results=results)
        self._on_range(processed.batch, work.file, result)

    def _other_bytes(self, work: PageRange, result: RangeResult, redo: Redo) -> bool:
        """Return whether a file of the same version has other content, as when its modification time was set back."""
        again = redo.again.get(work.file)
        found = result.rows.column("content_hash").to_pylist()[0]
        return again is not None and None not in (found, again.content_hash) and found != again.content_hash

    def take_loss(self, work: PageRange) -> None:
        """Record a range whose result was lost with its worker."""
        self.dispatch.failed_for_now(work, "its result was lost with its worker")

    def take_death(self, work: PageRange) -> None:
        """Record a range whose workers kept dying."""
        if self.dispatch.worker_died(work):
            self._blame(
                work,
                FailureKind.CRASH,
                "its worker died each time this page was tried, even when nothing else was running",
            )

    def _blame(self, work: PageRange, kind: FailureKind, message: str) -> None:
        pages: list[int | None] = [None] if work.is_probe else list(work.pages)
        results = [unreadable_result(kind, message, page, work.total) for page in pages]
        rows = page_rows(
            self.processed.batch.files[work.file],
            results,
            stream=self._config.stream,
            pipeline_id=next(iter(self.processed.pipelines), None),
            content_hash=None,
            version_id=None,
            overlay_paths=[None] * len(results),
        )
        self._account(work, rows, (kind,) * len(results))
        self.dispatch.succeeded(work, total=work.total, results=len(results))

    def _account(self, work: PageRange, rows: Any, kinds: tuple[FailureKind, ...]) -> None:
        report = self.processed.files[work.file]
        self.processed.spool.add(work.file, rows)
        report.pages += rows.num_rows
        report.failed_pages += len(kinds)
        report.kinds.update(kinds)

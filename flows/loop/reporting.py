"""Progress reports of batches, with the keys of Spark OCR's lastProgress and more."""

from __future__ import annotations

import resource
import time
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from inkstream.ocr_core.errors import FailureKind
from inkstream.tasks.commit.operations import Committed
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.next_steps import (
    NextStep,
    Place,
    check_unsure,
    leave_out_others,
    read_empty_otherwise,
    retry_failed,
)
from inkstream.tasks.presets import PRESETS
from inkstream.tasks.progress import MAX_EMPTY_PATHS, Cleaned, FileDone, Summary, timestamp
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.work.open_batch import FileReport, ProcessedBatch


def stream_id(config: StreamConfig) -> str:
    """Return the lasting id of a stream at its sink. The sink's URL must be absolute."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{config.sink.url}#{config.stream}"))


class BatchClock:
    """A clock that starts when it is created and measures one batch.

    Args:
        listing_ms: Milliseconds that went into the plan, if they count towards this batch.
    """

    def __init__(self, listing_ms: float) -> None:
        self.begun_at = timestamp()
        self._listing_ms = listing_ms
        self._begun = time.perf_counter()
        self._committed_ms = 0.0

    def mark_commit(self) -> None:
        """Note that the batch was processed and committed."""
        self._committed_ms = (time.perf_counter() - self._begun) * 1000

    def durations(self, processing_seconds: float) -> dict[str, int]:
        """Return the milliseconds so far by phase, under the names of Spark's progress reports.

        Args:
            processing_seconds: How long the processing took.
        """
        since_begun = (time.perf_counter() - self._begun) * 1000
        return {
            "latestOffset": round(self._listing_ms),
            "processBatch": round(processing_seconds * 1000),
            "addBatch": round(self._committed_ms),
            "commitOffsets": round(since_begun - self._committed_ms),
            "triggerExecution": round(since_begun + self._listing_ms),
        }


def next_steps(config: StreamConfig, summary: Summary, *, expects_failures: bool) -> tuple[NextStep, ...]:
    """Return what to do after a run.

    Args:
        config: The stream's configuration.
        summary: What the run did.
        expects_failures: Whether the run read failed pages again, so that nobody is told to do that.
    """
    place = Place(config.sink.url, config.stream, config.sink.traits.replaces_rows)
    steps = []
    failed = summary.failed_pages - summary.not_documents
    if failed > 0 and not expects_failures:
        steps.append(retry_failed(failed, place))
    if summary.empty_pages:
        advised = PRESETS["handwritten"]["pipeline"]["recognize"]["engine"]
        has_preset = config.pipeline.recognize.engine == advised
        steps.append(read_empty_otherwise(summary.empty_pages, summary.empty_paths, place, has_preset=has_preset))
    if summary.unsure_pages:
        steps.append(check_unsure(summary.unsure_pages))
    if summary.not_documents:
        steps.append(leave_out_others(summary.not_documents))
    return tuple(steps)


def count_batch(summary: Summary, processed: ProcessedBatch, committed: Committed | None) -> None:
    """Add a batch to the summary of its run."""
    summary.left_out.update({f.file.path: f.left_out for f in processed.files if f.left_out is not None})
    summary.unchanged += len(processed.unchanged)
    summary.superseded += len(committed.superseded) if committed else 0
    if committed is None or committed.batch_id is None:
        return
    reports = [processed.files[index] for index in committed.files]
    summary.batches += 1
    summary.files += len(reports)
    summary.pages += sum(report.pages for report in reports)
    summary.not_documents += sum(report.kinds[FailureKind.UNSUPPORTED] > 0 for report in reports)
    summary.failed_pages += sum(report.failed_pages for report in reports)
    summary.unsure_pages += sum(report.unsure_pages for report in reports)
    summary.empty_pages += sum(report.empty_pages for report in reports)
    summary.empty_paths.extend(report.file.path for report in reports if report.empty_pages)
    del summary.empty_paths[MAX_EMPTY_PATHS:]
    summary.kept_pages += sum(report.kept_pages for report in reports)
    summary.overlays.extend(url for report in reports for url in report.overlays[:1])


def batch_progress(  # noqa: PLR0913 - the report has all of them
    config: StreamConfig,
    processed: ProcessedBatch,
    committed: Committed | None,
    *,
    run_id: str,
    table: str,
    begun_at: str,
    durations: Mapping[str, int],
    cleaned: Cleaned | None = None,
    skipped: Skipped | None = None,
) -> dict[str, Any]:
    """Return the JSON-able report of one batch. It counts what this batch committed.

    Args:
        config: The stream's configuration.
        processed: What was processed.
        committed: What was committed; None when no file was complete.
        run_id: Changes with every run; `id` survives restarts.
        table: URL of the pages table.
        begun_at: When the batch began, ISO 8601.
        durations: Milliseconds by phase; `triggerExecution` is the total.
        cleaned: What was removed from the source; None if the source is not cleaned.
        skipped: Counts of the files that the run does not read.
    """
    files = [processed.files[index] for index in committed.files] if committed else []
    pages = sum(report.pages for report in files)
    kept = sum(report.kept_pages for report in files)
    batch_id = committed.batch_id if committed else None
    rate = round(len(files) / max(durations["triggerExecution"], 1) * 1000, 3)
    rates = {"numInputRows": len(files), "inputRowsPerSecond": rate, "processedRowsPerSecond": rate}
    source = {
        "description": f"{config.source.url} ({config.source.glob})",
        "startOffset": batch_id - 1 if batch_id else None,
        "endOffset": batch_id,
        **rates,
    }
    return {
        "id": stream_id(config),
        "runId": run_id,
        "name": config.stream,
        "timestamp": begun_at,
        "batchId": batch_id,
        **rates,
        "durationMs": dict(durations),
        "sources": [source],
        "sink": {"description": f"{config.sink.format} {table}", "numOutputRows": pages + kept},
        "pages": pages,
        "failed_pages": sum(report.failed_pages for report in files),
        "failures": _failures(files),
        "left_out": sum(report.left_out is not None for report in processed.files),
        "cleaned": cleaned.files if cleaned else 0,
        "not_cleaned": len(cleaned.failed) if cleaned else 0,
        "unchanged": len(processed.unchanged),
        **_suspicious(files),
        "superseded": len(committed.superseded) if committed else 0,
        "skipped": skipped.to_json() if skipped else {},
        "version": committed.version if committed else None,
        "memory": {"driver_peak_bytes": _own_peak_bytes(), "worker_peak_bytes": processed.peak_rss},
    }


def _failures(files: Iterable[FileReport]) -> dict[str, int]:
    """Return the number of failed pages of each kind."""
    failures: Counter[str] = Counter()
    for report in files:
        failures.update({kind.value: count for kind, count in report.kinds.items()})
    return dict(failures)


def glob_notice(glob: str, listed: int, skipped: Skipped) -> str | None:
    """Return what to tell people if `source.glob` matches none of the files in the source; None if it matches some.

    Args:
        glob: The pattern.
        listed: Number of file versions that are not skipped.
        skipped: Counts of the other files.
    """
    others = skipped.counts[SkipReason.GLOB]
    if listed or skipped.matched or not others:
        return None
    rule = "without its folder" if "/" in glob else "and upper and lower case differ"
    example = skipped.examples[SkipReason.GLOB][0]
    files = "the one file" if others == 1 else f"any of the {others} files"
    return (
        f"source.glob {glob!r} does not match {files} in the source, such as {example}: nothing was read.\n"
        f"  Correct source.glob: it is compared with a file's name, {rule}."
    )


def _suspicious(files: Sequence[FileReport]) -> dict[str, int]:
    """Return the numbers of pages that are probably wrong."""
    return {name: sum(getattr(report, name) for report in files) for name in ("empty_pages", "unsure_pages")}


def file_done(report: FileReport) -> FileDone:
    """Return the event that tells people what happened to one file."""
    return FileDone(
        path=report.file.path,
        pages=report.pages,
        failed_pages=report.failed_pages,
        kinds={kind.value: count for kind, count in report.kinds.items()},
        confidence=report.confidence_sum / report.confidence_count if report.confidence_count else None,
        seconds=report.milliseconds / 1000,
        left_out=report.left_out,
        overlays=tuple(report.overlays),
    )


def _own_peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

"""The progress report of a batch: the keys of Spark's lastProgress, and more."""

from __future__ import annotations

import resource
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Any

from inkstream.tasks.commit.operations import Committed
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.progress import Cleaned, FileDone
from inkstream.tasks.work.open_batch import FileReport, ProcessedBatch


def stream_id(config: StreamConfig) -> str:
    """Returns what a stream at its sink is called for good; the sink's URL must be absolute."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{config.sink.url}#{config.stream}"))


def batch_progress(  # noqa: PLR0913 - a report says all of it
    config: StreamConfig,
    processed: ProcessedBatch,
    committed: Committed | None,
    *,
    run_id: str,
    table: str,
    begun_at: str,
    durations: Mapping[str, int],
    cleaned: Cleaned | None = None,
) -> dict[str, Any]:
    """Returns the JSON-able report of one batch. Counts are of what this batch committed.

    Args:
        config: The stream's configuration.
        processed: What was processed.
        committed: What became of it; None when no file was complete.
        run_id: Changes with every run; `id` survives restarts.
        table: URL of the pages table.
        begun_at: When the batch began, ISO 8601.
        durations: Milliseconds by phase; `triggerExecution` is the whole.
        cleaned: What was taken out of the source; None when nothing is to be.
    """
    files = [processed.files[index] for index in committed.files] if committed else []
    pages = sum(report.pages for report in files)
    kept = sum(report.kept_pages for report in files)
    batch_id = committed.batch_id if committed else None
    rate = round(len(files) / max(durations["triggerExecution"], 1) * 1000, 3)
    rates = {"numInputRows": len(files), "inputRowsPerSecond": rate, "processedRowsPerSecond": rate}
    failures: Counter[str] = Counter()
    for report in files:
        failures.update({kind.value: count for kind, count in report.kinds.items()})
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
        "failures": dict(failures),
        "left_out": sum(report.left_out is not None for report in processed.files),
        "cleaned": cleaned.files if cleaned else 0,
        "not_cleaned": len(cleaned.failed) if cleaned else 0,
        "superseded": len(committed.superseded) if committed else 0,
        "version": committed.version if committed else None,
        "memory": {"driver_peak_bytes": _own_peak_bytes(), "worker_peak_bytes": processed.peak_rss},
    }


def file_done(report: FileReport) -> FileDone:
    """Returns what became of one file, for people."""
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

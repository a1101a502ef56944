"""The work of a Dask worker: one page range, from a file reference to Arrow rows.

The worker reads the file, because it has the credentials, and writes overlays. The pages are processed in the worker's
sandboxed child, which outlives the range (`inkstream.tasks.work.worker_state`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, FailureKind, TransientError
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import Failure, PageResult, nothing_selected
from inkstream.ocr_core.pipeline.fingerprint import pipeline_id
from inkstream.ocr_core.workers.page_worker import PageWorker
from inkstream.tasks.model import FileVersion
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.overlays import overlay_key, put_overlay
from inkstream.tasks.stores.copies import CopiesFolder, copies_of
from inkstream.tasks.stores.fetching import Fetched
from inkstream.tasks.work.worker_state import page_worker, peak_rss, worker_identity

if TYPE_CHECKING:
    import pyarrow as pa

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RangeJob:
    """A page range as it is sent to a worker: references and numbers, never pixels.

    Attributes:
        file: The file version to read.
        pages: Page numbers, 0-based; empty while `total` is unknown, which means the first pages to read.
        count: Maximum number of pages.
        total: Number of pages of the file; None to find it out first.
        stream: The stream the rows belong to.
        pipeline: `PipelineOptions` as canonical JSON.
        limits: Limits on what a page may cost.
        sink_url: Where overlays are written.
        durable: Whether overlays have to survive a power cut.
        copies: Where the copy of the file is kept.
        known_bytes: SHA-256 of the newest rows' bytes. A file with these bytes is not read.
        rows_from: SHA-256 of the bytes that the rows to replace were read from. Another version with these bytes is
            read too.
    """

    file: FileVersion
    pages: Sequence[int]
    count: int
    total: int | None
    stream: str
    pipeline: str
    limits: LimitOptions
    sink_url: str
    durable: bool
    copies: CopiesFolder
    known_bytes: str | None = None
    rows_from: str | None = None


@dataclass(frozen=True, slots=True)
class SameBytes:
    """The answer for a file that was not read, because its bytes are those of rows that are there."""

    content_hash: str


class SameBytesError(Exception):
    """The file has the bytes of the newest rows of its path."""


@dataclass(frozen=True, slots=True)
class RangeResult:
    """The result of a page range: its rows, and the numbers for progress reports.

    Attributes:
        rows: One row per page, without batch_id and timestamp; a single row for a file without a page to read.
        total: Number of pages of the file; None if they cannot be counted.
        kinds: `exception_kind` of each failed page.
        confidence_sum: Sum of the page confidences.
        confidence_count: Number of pages that have a confidence.
        pipeline_id: The pipeline that made the rows.
        engine_versions: The versions that went into `pipeline_id`.
        peak_rss: Highest resident memory of the worker and its child so far, in bytes.
        milliseconds: Wall time of the range on its worker.
        overlays: URLs of the overlays written.
    """

    rows: pa.RecordBatch
    total: int | None
    kinds: tuple[FailureKind, ...]
    confidence_sum: float
    confidence_count: int
    pipeline_id: str
    engine_versions: dict[str, str]
    peak_rss: int
    milliseconds: float
    overlays: tuple[str, ...]


Fault = ConfigError | EnvironmentFault | TransientError


@dataclass(frozen=True, slots=True)
class Unforeseen:
    """The text of an unforeseen exception. It becomes the `internal` failure of its pages."""

    message: str


NotRead = SameBytes | Fault | Unforeseen
"""What a worker answers instead of pages."""

Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class FilePages(Generic[Outcome]):
    """The outcomes of some pages of a file, and what is known about the file.

    Attributes:
        total: Number of pages of the file; None if they cannot be counted.
        pages: One outcome for each page of the range, or a single failure of the file.
        content_hash: SHA-256 of the file's bytes; None if nothing could be read.
        version_id: The object's version id; None if the store has none.
    """

    total: int | None
    pages: list[Outcome | PageResult]
    content_hash: str | None
    version_id: str | None


def run_range(job: RangeJob) -> RangeResult | NotRead:
    """Read the file, run its pages in the sandbox and return their rows.

    Returns:
        The rows, or the error as a value.
    """
    return as_value(lambda: _run_range(job))


def _run_range(job: RangeJob) -> RangeResult:
    started = time.perf_counter()
    options, versions = worker_identity(job.pipeline)
    worker = page_worker(options, job.limits)
    fetched: Fetched | None = None
    total: int | None
    try:
        with held_file(job) as fetched:
            path = str(fetched.local_path)
            total, pages = pages_to_read(job, options, worker, path)
            results = worker.pages(path, pages, total) if pages else [nothing_selected(total, options.pages)]
    except DocumentError as error:
        total, results = job.total, failed_pages(job, error)
    return range_result(job, file_pages(total, results, fetched), options, versions, started)


def as_value(work: Callable[[], Outcome]) -> Outcome | NotRead:
    """Do the work and return its result, or the error instead of raising it.

    A raised error would leave a traceback in the worker's log, and would look like a worker that cannot run Inkstream.
    """
    try:
        return work()
    except SameBytesError as same:
        return SameBytes(str(same))
    except (ConfigError, EnvironmentFault, TransientError) as error:
        return error
    except OSError as error:
        return TransientError(f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - any error becomes a row
        return Unforeseen(f"{type(error).__name__}: {error}")


@contextmanager
def held_file(job: RangeJob) -> Iterator[Fetched]:
    """Hold a local copy of a job's file while a block runs; see `Copies.hold`.

    Raises:
        SameBytesError: If the file has the bytes of rows that are there.
    """
    with copies_of(job.copies).hold(job.file, job.limits.max_file_mb * MEBIBYTE, job.rows_from) as fetched:
        if fetched.content_hash == job.known_bytes:
            raise SameBytesError(fetched.content_hash)
        yield fetched


def pages_to_read(job: RangeJob, options: PipelineOptions, worker: PageWorker, path: str) -> tuple[int, Sequence[int]]:
    """Return the file's number of pages, and the pages that the job reads, possibly none."""
    if job.total is not None:
        return job.total, job.pages
    total = worker.probe(path).pages
    return total, options.selected(total)[: job.count]


def failed_pages(job: RangeJob, error: DocumentError) -> list[PageResult]:
    """Return one failure for each page of the range; a single one for the file if its pages are not counted yet."""
    if job.total is None:
        return [unreadable_result(error.kind, error.message)]
    return [unreadable_result(error.kind, error.message, page, job.total) for page in job.pages]


def file_pages(
    total: int | None, outcomes: Sequence[Outcome | PageResult], fetched: Fetched | None
) -> FilePages[Outcome]:
    """Return the outcomes of pages with what is known of the copy they were read from, if there was one."""
    content_hash, version_id = (fetched.content_hash, fetched.version_id) if fetched else (None, None)
    return FilePages(total, [*outcomes], content_hash, version_id)


def range_result(
    job: RangeJob,
    done: FilePages[PageResult],
    options: PipelineOptions,
    versions: dict[str, str],
    started: float,
) -> RangeResult:
    """Write the overlays, and turn results into rows.

    Args:
        job: The job.
        done: The results.
        options: The job's pipeline.
        versions: The versions of the engines that made them.
        started: When the range was started, on `time.perf_counter()`.
    """
    made_by = pipeline_id(options, versions)
    overlays = _write_overlays(job, done.pages, done.content_hash or "", made_by)
    rows = page_rows(
        job.file,
        done.pages,
        stream=job.stream,
        pipeline_id=made_by,
        content_hash=done.content_hash,
        version_id=done.version_id,
        overlay_paths=overlays,
    )
    confidences = [r.confidence for r in done.pages if r.confidence is not None]
    return RangeResult(
        rows=rows,
        total=done.total,
        kinds=tuple(r.failure.kind for r in done.pages if r.failure),
        confidence_sum=sum(confidences),
        confidence_count=len(confidences),
        pipeline_id=made_by,
        engine_versions=versions,
        peak_rss=peak_rss(),
        milliseconds=(time.perf_counter() - started) * 1000,
        overlays=tuple(o for o in overlays if o),
    )


def unreadable_result(
    kind: FailureKind, message: str, pagenum: int | None = None, total: int | None = None
) -> PageResult:
    """Return the result of a page (or, without a page number, of a whole file) that was never opened."""
    return PageResult(pagenum=pagenum, total_pages=total, failure=Failure(kind, message))


def _write_overlays(job: RangeJob, results: list[PageResult], content_hash: str, made_by: str) -> list[str | None]:
    urls: list[str | None] = []
    for result in results:
        if result.overlay is None or result.pagenum is None:
            urls.append(None)
            continue
        extension = "jpg" if result.overlay_format == "jpeg" else str(result.overlay_format)
        key = overlay_key(content_hash, result.pagenum, made_by, extension)
        urls.append(put_overlay(job.sink_url, key, result.overlay, durable=job.durable))
    return urls

"""What runs on a Dask worker: one page range, from a file reference to Arrow rows.

The worker reads the file (it has the credentials) and writes overlays; the page work itself happens in the
worker's sandbox child. One child is kept per worker thread and outlives the range.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Generic, TypeVar

from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, FailureKind, TransientError
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import Failure, PageResult, nothing_selected
from inkstream.ocr_core.pipeline.environment import Part, engine_versions, pipeline_id, require_environment
from inkstream.ocr_core.workers.line_worker import LineWorker
from inkstream.ocr_core.workers.page_worker import PageWorker
from inkstream.tasks.model import FileVersion
from inkstream.tasks.rows import page_rows
from inkstream.tasks.stores.copies import CopiesFolder, copies_of
from inkstream.tasks.stores.fetching import Fetched
from inkstream.tasks.work.overlays import overlay_key, put_overlay

if TYPE_CHECKING:
    import pyarrow as pa

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RangeJob:
    """One page range as it travels to a worker: references and numbers, never pixels.

    Attributes:
        file: The file version to read.
        pages: Which, 0-based; with no `total`, the first ones that the pipeline is to read.
        count: Pages wanted at most.
        total: Pages of the file, or None to find out first.
        stream: The stream the rows belong to.
        pipeline: `PipelineOptions` as canonical JSON.
        limits: What a page may cost.
        sink_url: Where overlays go.
        copies: Where the copy of the file is kept.
    """

    file: FileVersion
    pages: Sequence[int]
    count: int
    total: int | None
    stream: str
    pipeline: str
    limits: LimitOptions
    sink_url: str
    copies: CopiesFolder


@dataclass(frozen=True, slots=True)
class RangeResult:
    """What comes back: rows, and the numbers a progress line needs.

    Attributes:
        rows: One row per page, without batch_id and timestamp; or the one of a file of which no page is to be read.
        total: Pages of the file; None when they cannot be counted.
        kinds: `exception_kind` of each failed page.
        confidence_sum: Sum of the page confidences that there are.
        confidence_count: How many there are.
        pipeline_id: What made the rows.
        engine_versions: The versions that went into `pipeline_id`.
        peak_rss: Highest resident memory of the worker and its child so far, bytes.
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
    """An exception nobody foresaw, in words: it becomes the pages' `internal`."""

    message: str


Outcome = TypeVar("Outcome")


def run_range(job: RangeJob) -> RangeResult | Fault | Unforeseen:
    """Reads the file, runs its pages in the sandbox and returns their rows.

    Returns:
        The rows; or, as a value, what kept them from being made.
    """
    return as_value(lambda: _run_range(job))


def as_value(work: Callable[[], Outcome]) -> Outcome | Fault | Unforeseen:
    """Does the work; returns what kept it from being done.

    Raised, it would leave a traceback in the worker's log, and could not be told from a worker that cannot run us at
    all.
    """
    try:
        return work()
    except (ConfigError, EnvironmentFault, TransientError) as error:
        return error
    except OSError as error:
        return TransientError(f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a row
        return Unforeseen(f"{type(error).__name__}: {error}")


def _run_range(job: RangeJob) -> RangeResult:
    started = time.perf_counter()
    options, versions = worker_identity(job.pipeline)
    worker = page_worker(options, job.limits)

    def work(path: str) -> tuple[int, list[PageResult]]:
        total, pages = pages_to_read(job, options, worker, path)
        return total, worker.pages(path, pages, total) if pages else [nothing_selected(total, options.pages)]

    return range_result(job, with_file(job, work), options, versions, started)


@dataclass(frozen=True, slots=True)
class FilePages(Generic[Outcome]):
    """What some pages of a file came to, and what was found out about the file.

    Attributes:
        total: Pages of the file; None when they cannot be counted.
        pages: One for each page of the range; or one failure, of the file.
        content_hash: SHA-256 of its bytes; None where nothing could be read.
        version_id: The object's version id, where the store has one.
    """

    total: int | None
    pages: list[Outcome | PageResult]
    content_hash: str | None
    version_id: str | None


def with_file(job: RangeJob, work: Callable[[str], tuple[int, Sequence[Outcome | PageResult]]]) -> FilePages[Outcome]:
    """Fetches a job's file and works on it. A fault of the file is the result of each page.

    Args:
        job: Which file, and which pages.
        work: Given a local path, returns how many pages the file has, and what became of those of the job.
    """
    fetched: Fetched | None = None
    total: int | None
    pages: list[Outcome | PageResult]
    try:
        with held_file(job) as fetched:
            total, done = work(str(fetched.local_path))
        pages = [*done]
    except DocumentError as error:
        total, pages = job.total, [*_unreadable(job, error)]
    hashed = fetched.content_hash if fetched else None
    return FilePages(total, pages, hashed, fetched.version_id if fetched else None)


def held_file(job: RangeJob) -> AbstractContextManager[Fetched]:
    """Gives a local copy of a job's file for the time of the block; see `Copies.hold`."""
    return copies_of(job.copies).hold(job.file, job.limits.max_file_mb * MEBIBYTE)


def pages_to_read(job: RangeJob, options: PipelineOptions, worker: PageWorker, path: str) -> tuple[int, Sequence[int]]:
    """Returns how many pages the file has, and which the job is to read: perhaps none."""
    if job.total is not None:
        return job.total, job.pages
    total = worker.probe(path).pages
    return total, options.selected(total)[: job.count]


def range_result(
    job: RangeJob,
    done: FilePages[PageResult],
    options: PipelineOptions,
    versions: dict[str, str],
    started: float,
) -> RangeResult:
    """Writes the overlays, and makes rows of results.

    Args:
        job: What was to be done.
        done: The results.
        options: The job's pipeline.
        versions: What made them.
        started: When, on `time.perf_counter()`.
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


def check_worker(pipeline: str, part: Part | None = None) -> dict[str, str]:
    """Checks that this worker can run the pipeline, or a part of it, and returns the versions of what it would use.

    Raises:
        EnvironmentFault: With the remedy, if it cannot.
    """
    return worker_identity(pipeline, part)[1]


def unreadable_result(
    kind: FailureKind, message: str, pagenum: int | None = None, total: int | None = None
) -> PageResult:
    """Returns the row of a page (or, with no page number, of a whole file) that was never opened."""
    return PageResult(pagenum=pagenum, total_pages=total, failure=Failure(kind, message))


def _unreadable(job: RangeJob, error: DocumentError) -> list[PageResult]:
    """One result for the file while its pages are not counted; else one for each page of the range."""
    if job.total is None:
        return [unreadable_result(error.kind, error.message)]
    return [unreadable_result(error.kind, error.message, page, job.total) for page in job.pages]


def _write_overlays(job: RangeJob, results: list[PageResult], content_hash: str, made_by: str) -> list[str | None]:
    urls: list[str | None] = []
    for result in results:
        if result.overlay is None or result.pagenum is None:
            urls.append(None)
            continue
        extension = "jpg" if result.overlay_format == "jpeg" else str(result.overlay_format)
        key = overlay_key(content_hash, result.pagenum, made_by, extension)
        urls.append(put_overlay(job.sink_url, key, result.overlay))
    return urls


@cache
def worker_identity(pipeline: str, part: Part | None = None) -> tuple[PipelineOptions, dict[str, str]]:
    """Returns the options, and the versions of what this worker has for them; once checked, it is not checked again.

    Raises:
        EnvironmentFault: With the remedy, if it lacks something.
    """
    options = PipelineOptions.model_validate_json(pipeline)
    require_environment(options, part)
    return options, engine_versions(options, part)


_of_thread = threading.local()
_lines: list[LineWorker] = []
_lines_lock = threading.Lock()


def page_worker(options: PipelineOptions, limits: LimitOptions) -> PageWorker:
    """Returns the one of this thread."""
    kept: tuple[PipelineOptions, LimitOptions, PageWorker] | None = getattr(_of_thread, "worker", None)
    if kept is not None and kept[0] == options and kept[1] == limits:
        return kept[2]
    if kept is not None:
        kept[2].close()
        atexit.unregister(kept[2].close)
    worker = PageWorker(options, limits, lines=line_worker(options, limits) if options.loads_model else None)
    atexit.register(worker.close)
    _of_thread.worker = (options, limits, worker)
    return worker


def line_worker(options: PipelineOptions, limits: LimitOptions) -> LineWorker:
    """Returns the one that all threads share: a model is loaded once in a worker."""
    with _lines_lock:
        if not _lines or (_lines[0].options, _lines[0].limits) != (options.recognize, limits):
            for old in _lines:
                old.close()
                atexit.unregister(old.close)
            _lines[:] = [LineWorker(options.recognize, limits)]
            atexit.register(_lines[0].close)
        return _lines[0]


def peak_rss() -> int:
    """Returns the highest resident memory of this process and a child of it so far, bytes."""
    import resource

    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + children) * 1024 if os.uname().sysname == "Linux" else own + children

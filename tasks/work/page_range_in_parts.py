"""A page range in three parts, for clusters where separate workers read lines.

One worker begins and finishes the range: it renders, detects and draws. In between, another worker, which has the
model, reads the lines. Line crops are sent to it, and their texts come back.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace

from inkstream.ocr_core.errors import DocumentError
from inkstream.ocr_core.page import PageResult, nothing_selected
from inkstream.ocr_core.pipeline.environment import joined_versions
from inkstream.ocr_core.workers.page_worker import BegunPage, ReadPage, read_lines
from inkstream.tasks.stores.fetching import Fetched
from inkstream.tasks.work.page_range import (
    FilePages,
    NotRead,
    RangeJob,
    RangeResult,
    as_value,
    failed_pages,
    file_pages,
    held_file,
    pages_to_read,
    range_result,
)
from inkstream.tasks.work.worker_state import line_worker, page_worker, peak_rss, worker_identity


@dataclass(frozen=True, slots=True)
class BegunRange:
    """A range whose lines are not read yet.

    Attributes:
        file: Its pages; those without lines to read are already done.
        seconds: Wall time so far.
        peak_rss: Highest resident memory of a worker with its child so far, in bytes.
    """

    file: FilePages[BegunPage]
    seconds: float
    peak_rss: int


@dataclass(frozen=True, slots=True)
class ReadRange:
    """A range whose lines have been read.

    Attributes:
        file: Its pages, without their crops.
        versions: The versions of the engine that read the lines.
        seconds: Wall time so far.
        peak_rss: Highest resident memory of a worker with its child so far, in bytes.
    """

    file: FilePages[ReadPage]
    versions: dict[str, str]
    seconds: float
    peak_rss: int


def begin_range(job: RangeJob) -> BegunRange | NotRead:
    """Read the file and process its pages until their lines have to be read."""
    return as_value(lambda: _begin(job))


def read_range(job: RangeJob, begun: BegunRange | NotRead) -> ReadRange | NotRead:
    """Read all lines of a range. A fault of the part before is returned as it is."""
    return as_value(lambda: _read(job, begun)) if isinstance(begun, BegunRange) else begun


def finish_range(job: RangeJob, read: ReadRange | NotRead) -> RangeResult | NotRead:
    """Put the texts into their lines, draw, and make rows. A fault of the parts before is returned as it is."""
    return as_value(lambda: _finish(job, read)) if isinstance(read, ReadRange) else read


def _begin(job: RangeJob) -> BegunRange:
    started = time.perf_counter()
    options, _ = worker_identity(job.pipeline, "pages")
    worker = page_worker(options, job.limits)
    fetched: Fetched | None = None
    total: int | None
    begun: list[BegunPage | PageResult]
    try:
        with held_file(job) as fetched:
            path = str(fetched.local_path)
            total, pages = pages_to_read(job, options, worker, path)
            begun = [worker.begin(path, page, total) for page in pages] or [nothing_selected(total, options.pages)]
    except DocumentError as error:
        total, begun = job.total, [*failed_pages(job, error)]
    file: FilePages[BegunPage] = file_pages(total, begun, fetched)
    return BegunRange(file, time.perf_counter() - started, peak_rss())


def _read(job: RangeJob, begun: BegunRange) -> ReadRange:
    started = time.perf_counter()
    options, versions = worker_identity(job.pipeline, "lines")
    waiting = [page for page in begun.file.pages if isinstance(page, BegunPage)]
    read = iter(read_lines(line_worker(options, job.limits), waiting))
    pages = [page if isinstance(page, PageResult) else next(read) for page in begun.file.pages]
    file: FilePages[ReadPage] = FilePages(begun.file.total, pages, begun.file.content_hash, begun.file.version_id)
    seconds = begun.seconds + time.perf_counter() - started
    return ReadRange(file, versions, seconds, max(begun.peak_rss, peak_rss()))


def _finish(job: RangeJob, read: ReadRange) -> RangeResult:
    started = time.perf_counter() - read.seconds
    options, own = worker_identity(job.pipeline, "pages")
    worker = page_worker(options, job.limits)
    waits = any(isinstance(page, ReadPage) for page in read.file.pages)
    with held_file(job) if options.draw and waits else nullcontext() as fetched:
        path = fetched.local_path if fetched else None
        pages = [page if isinstance(page, PageResult) else worker.finish(path, page) for page in read.file.pages]
    done: FilePages[PageResult] = FilePages(read.file.total, pages, read.file.content_hash, read.file.version_id)
    result = range_result(job, done, options, joined_versions(own, read.versions), started)
    return replace(result, peak_rss=max(read.peak_rss, result.peak_rss))

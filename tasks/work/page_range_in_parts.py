"""A page range in three parts, where lines are read by workers of their own.

Begun and finished by a worker that renders, finds and draws; read in between by one that has the model. What travels
are crops of lines one way and their texts back.
"""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace

from inkstream.ocr_core.page import PageResult, nothing_selected
from inkstream.ocr_core.pipeline.environment import joined_versions
from inkstream.ocr_core.workers.page_worker import BegunPage, ReadPage, read_lines
from inkstream.tasks.work.page_range import (
    Fault,
    FilePages,
    RangeJob,
    RangeResult,
    Unforeseen,
    as_value,
    held_file,
    line_worker,
    page_worker,
    pages_to_read,
    peak_rss,
    range_result,
    with_file,
    worker_identity,
)


@dataclass(frozen=True, slots=True)
class BegunRange:
    """A range whose lines wait to be read.

    Attributes:
        file: Its pages, those that had no lines to read already done.
        seconds: Wall time so far.
        peak_rss: Highest resident memory of a worker with its child so far, bytes.
    """

    file: FilePages[BegunPage]
    seconds: float
    peak_rss: int


@dataclass(frozen=True, slots=True)
class ReadRange:
    """A range whose lines are read.

    Attributes:
        file: Its pages, without their crops.
        versions: Of what read them.
        seconds: Wall time so far.
        peak_rss: Highest resident memory of a worker with its child so far, bytes.
    """

    file: FilePages[ReadPage]
    versions: dict[str, str]
    seconds: float
    peak_rss: int


def begin_range(job: RangeJob) -> BegunRange | Fault | Unforeseen:
    """Reads the file and runs its pages up to where their lines are to be read."""
    return as_value(lambda: _begin(job))


def read_range(job: RangeJob, begun: BegunRange | Fault | Unforeseen) -> ReadRange | Fault | Unforeseen:
    """Reads the lines of a range together. A fault of the part before is handed on."""
    return as_value(lambda: _read(job, begun)) if isinstance(begun, BegunRange) else begun


def finish_range(job: RangeJob, read: ReadRange | Fault | Unforeseen) -> RangeResult | Fault | Unforeseen:
    """Puts the readings where the lines were, draws, and makes rows. A fault of the parts before is handed on."""
    return as_value(lambda: _finish(job, read)) if isinstance(read, ReadRange) else read


def _begin(job: RangeJob) -> BegunRange:
    started = time.perf_counter()
    options, _ = worker_identity(job.pipeline, "pages")
    worker = page_worker(options, job.limits)

    def work(path: str) -> tuple[int, list[PageResult | BegunPage]]:
        total, pages = pages_to_read(job, options, worker, path)
        if not pages:
            return total, [nothing_selected(total, options.pages)]
        return total, [worker.begin(path, page, total) for page in pages]

    return BegunRange(with_file(job, work), time.perf_counter() - started, peak_rss())


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

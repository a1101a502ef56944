"""Read one document, page by page, in notebooks and small programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from inkstream.ocr_core.errors import DocumentError
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import Failure, PageResult, nothing_selected


def read_document(
    path: str | Path,
    options: PipelineOptions | None = None,
    limits: LimitOptions | None = None,
    *,
    sandboxed: bool = True,
) -> Iterator[PageResult]:
    """Yield one result per page; for a file whose pages cannot be counted, one result with `pagenum` None.

    Passwords for encrypted PDFs come from the environment, see `inkstream.ocr_core.documents.passwords`.

    Args:
        path: A PDF or an image.
        options: What happens to a page.
        limits: What one page or file may cost; without the sandbox, only file size and page count are checked.
        sandboxed: Decode in a child process, which a damaged file may crash; use False only for files you trust.

    Raises:
        ConfigError: If the options cannot work.
        EnvironmentFault: If this machine lacks something; its `remedy` says what to do.
    """
    options, limits = options or PipelineOptions(), limits or LimitOptions()
    try:
        yield from (_sandboxed if sandboxed else _here)(path, options, limits)
    except DocumentError as error:
        yield PageResult(None, None, failure=Failure(error.kind, error.message))


def _sandboxed(path: str | Path, options: PipelineOptions, limits: LimitOptions) -> Iterator[PageResult]:
    from inkstream.ocr_core.workers.page_worker import PageWorker

    with PageWorker(options, limits) as worker:
        total = worker.probe(path).pages
        yield from _each(options, total, lambda pagenum: worker.page(path, pagenum, total))


def _here(path: str | Path, options: PipelineOptions, limits: LimitOptions) -> Iterator[PageResult]:
    from inkstream.ocr_core.documents.opening import open_document
    from inkstream.ocr_core.documents.passwords import pdf_passwords
    from inkstream.ocr_core.pipeline.build import build_pipeline

    pipeline = build_pipeline(options)
    with open_document(path, limits, pdf_passwords()) as document:
        yield from _each(options, document.info.pages, lambda pagenum: pipeline.run(document, pagenum))


def _each(options: PipelineOptions, total: int, read: Callable[[int], PageResult]) -> Iterator[PageResult]:
    selected = options.selected(total)
    yield from map(read, selected)
    if not selected:
        yield nothing_selected(total, options.pages)

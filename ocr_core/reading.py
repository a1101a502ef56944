"""One document, page by page: for notebooks and small programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ocr_core.errors import DocumentError
from ocr_core.limits import LimitOptions
from ocr_core.options import PipelineOptions
from ocr_core.page import Failure, PageResult


def read_document(
    path: str | Path,
    options: PipelineOptions | None = None,
    limits: LimitOptions | None = None,
    *,
    sandboxed: bool = True,
) -> Iterator[PageResult]:
    """Yields one result a page; for a file whose pages cannot be counted, one with `pagenum` None.

    Args:
        path: A PDF, PNG, JPEG or TIFF.
        options: What happens to a page.
        limits: What one page or file may cost; without the sandbox only file size and page count are held.
        sandboxed: Decode in a child process that a damaged file may crash; False only for files you trust.

    Raises:
        ConfigError: If the options cannot work.
        EnvironmentFault: If this machine lacks something; it says what to do.
    """
    options, limits = options or PipelineOptions(), limits or LimitOptions()
    try:
        yield from (_sandboxed if sandboxed else _here)(path, options, limits)
    except DocumentError as error:
        yield PageResult(None, None, failure=Failure(error.kind, error.message))


def _sandboxed(path: str | Path, options: PipelineOptions, limits: LimitOptions) -> Iterator[PageResult]:
    from ocr_core.page_worker import PageWorker

    with PageWorker(options, limits) as worker:
        pages = worker.probe(path).pages
        for pagenum in range(pages):
            yield worker.page(path, pagenum, pages)


def _here(path: str | Path, options: PipelineOptions, limits: LimitOptions) -> Iterator[PageResult]:
    from ocr_core.document import open_document
    from ocr_core.pipeline import build_pipeline

    pipeline = build_pipeline(options)
    with open_document(path, limits) as document:
        for pagenum in range(document.info.pages):
            yield pipeline.run(document, pagenum)

"""One attempt at a page: its duration and its outcome."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from inkstream.ocr_core.errors import (
    OUT_OF_MEMORY,
    ConfigError,
    DocumentError,
    EnvironmentFault,
    FailureKind,
    is_out_of_memory,
)
from inkstream.ocr_core.page import DocumentInfo, Failure, PageResult
from inkstream.ocr_core.pipeline.suspicion import suspicions
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from types import TracebackType

    from inkstream.ocr_core.documents.document import Document


@contextmanager
def opened_page(document: Document, pagenum: int) -> Iterator[WorkingPage]:
    """Open a page of a document until the block ends.

    Args:
        document: The open file.
        pagenum: 0-based.

    Raises:
        DocumentError: If the page cannot be opened.
    """
    source = document.page(pagenum)
    try:
        yield WorkingPage(source)
    finally:
        source.close()


class Attempt:
    """A block that processes a page: a fault of the document ends the block and is kept as a failure.

    ConfigError and EnvironmentFault pass through, because they are not the document's fault.

    Args:
        info: The document's format, page count and notes.

    Attributes:
        page: The page, as soon as it is open.
        failure: The fault that ended the block; None if there was none.
        has_lines: Whether lines were found on the page.
    """

    def __init__(self, info: DocumentInfo) -> None:
        self.page: WorkingPage | None = None
        self.failure: Failure | None = None
        self.has_lines = False
        self._info = info
        self._started = time.perf_counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: object, error: BaseException | None, _traceback: TracebackType | None) -> bool:
        if not isinstance(error, Exception) or isinstance(error, ConfigError | EnvironmentFault):
            return False
        self.failure = _failure_of(error)
        return True

    def result(self, pagenum: int) -> PageResult:
        """Return the page's text, or the failure that ended the block."""
        page, milliseconds = self.page, (time.perf_counter() - self._started) * 1000
        of_page = (page.source.notes if page.source else ()) + page.notes if page else ()
        notes = tuple(dict.fromkeys(self._info.notes + of_page))
        result = PageResult(pagenum, self._info.pages, failure=self.failure, processing_ms=milliseconds, notes=notes)
        if page is None:
            return result
        result = replace(result, width=page.width, height=page.height, resolution=page.resolution)
        if self.failure is not None:
            return result
        return replace(
            result,
            notes=notes + suspicions(page, has_lines=self.has_lines),
            text=page.text or "",
            confidence=page.confidence,
            regions=page.regions,
            engine=page.engine,
            overlay=page.overlay,
            overlay_format=page.overlay_format if page.overlay else None,
            routing=page.routing,
        )


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, DocumentError):
        return Failure(error.kind, error.message)
    if isinstance(error, MemoryError) or is_out_of_memory(error):
        return Failure(FailureKind.MEMORY, OUT_OF_MEMORY)
    return Failure(FailureKind.INTERNAL, f"{type(error).__name__}: {error}")

"""Stages in a chain, checked when it is built."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from inkstream.ocr_core.errors import (
    OUT_OF_MEMORY,
    ConfigError,
    DocumentError,
    EnvironmentFault,
    FailureKind,
    is_out_of_memory,
)
from inkstream.ocr_core.page import Failure, PageResult
from inkstream.ocr_core.stages.stage import MOVED, RESTORED, SOURCE, Stage, WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.documents.document import Document


@dataclass(frozen=True)
class Pipeline:
    """A checked chain of stages.

    Raises:
        ConfigError: When a stage needs what no earlier stage provides.
    """

    stages: Sequence[Stage] = field(default_factory=tuple)

    def __post_init__(self) -> None:
        have = {SOURCE}
        for stage in self.stages:
            for need in sorted(stage.needs - have):
                raise ConfigError(f"{stage.name} needs {need}; no earlier stage provides {_pronoun(need)}")
            have |= stage.provides
        if MOVED in have and RESTORED not in have:
            raise ConfigError("a stage moves pixels; Restore must come after reading, or boxes lie beside the words")

    def run(self, document: Document, pagenum: int) -> PageResult:
        """Processes one page. A fault of the document is a result with `failure`, never an exception.

        Args:
            document: The open file.
            pagenum: 0-based.

        Raises:
            ConfigError: For what only the engine knows to be wrong, such as an unknown Tesseract variable.
            EnvironmentFault: If this machine lacks something.
        """

        def work(page: WorkingPage) -> None:
            for stage in self.stages:
                stage.run(page)

        return on_page(document, pagenum, work)


def on_page(document: Document, pagenum: int, work: Callable[[WorkingPage], None]) -> PageResult:
    """Opens a page, does the work and returns what became of it; see `Pipeline.run`."""
    started = time.perf_counter()
    page: WorkingPage | None = None

    def opened() -> None:
        nonlocal page
        source = document.page(pagenum)
        try:
            page = WorkingPage(source)
            work(page)
        finally:
            source.close()

    failure = failure_of(opened)
    elapsed = (time.perf_counter() - started) * 1000
    notes = document.info.notes + (page.source.notes if page and page.source else ())
    return result_of(page, failure, pagenum, document.info.pages, elapsed, notes)


def failure_of(work: Callable[[], None]) -> Failure | None:
    """Does the work, and returns the document's fault that ended it, or None.

    Raises:
        ConfigError: As it comes; neither is the document's fault.
        EnvironmentFault: As it comes.
    """
    try:
        work()
    except (ConfigError, EnvironmentFault):
        raise
    except DocumentError as error:
        return Failure(error.kind, error.message)
    except MemoryError:
        return Failure(FailureKind.MEMORY, OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001 - an exception nobody foresaw is a row, too
        if is_out_of_memory(error):
            return Failure(FailureKind.MEMORY, OUT_OF_MEMORY)
        return Failure(FailureKind.INTERNAL, f"{type(error).__name__}: {error}")
    return None


def _pronoun(need: str) -> str:
    return "them" if need.endswith("s") else "it"


def result_of(  # noqa: PLR0913 - a result says all of it
    page: WorkingPage | None,
    failure: Failure | None,
    pagenum: int,
    total_pages: int,
    elapsed: float,
    notes: tuple[str, ...],
) -> PageResult:
    """Returns the result of a page whose stages are through, or that failed; `page` None where it never opened."""
    made = PageResult(pagenum, total_pages, failure=failure, processing_ms=elapsed, notes=notes)
    if page is None:
        return made
    made = replace(made, width=page.width, height=page.height, resolution=page.resolution)
    if failure is not None:
        return made
    return replace(
        made,
        text=page.text or "",
        confidence=page.confidence,
        regions=page.regions,
        engine=page.engine,
        overlay=page.overlay,
        overlay_format=page.overlay_format if page.overlay else None,
        routing=page.routing,
    )

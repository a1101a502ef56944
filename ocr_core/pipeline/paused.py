"""A page in two halves: up to where its lines are to be read, and from there on.

In between it is plain data, which any page process can take up: its pixels are gone, and where it is to be drawn it is
rendered again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from inkstream.ocr_core.engines.line_reader import Reading
from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.page import PageResult
from inkstream.ocr_core.pipeline.pipeline import Pipeline, failure_of, on_page, result_of
from inkstream.ocr_core.stages.draw.stage import Draw
from inkstream.ocr_core.stages.line_stage import Asked, LineStage
from inkstream.ocr_core.stages.render import Render
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from inkstream.ocr_core.documents.document import Document
    from inkstream.ocr_core.pixels import Pixels


@dataclass(frozen=True, slots=True)
class PausedPage:
    """A page whose lines wait to be read.

    Attributes:
        state: What `finish` needs, as JSON.
        crops: Upright pictures of one line each, at least one.
    """

    state: str
    crops: Sequence[Pixels]


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a page in between; `asked` is JSON of the stage's own."""

    pages: int
    notes: tuple[str, ...]
    width: int | None
    height: int | None
    resolution: int | None
    to_rendered: Affine
    crops: int
    asked: str


def begin(pipeline: Pipeline, document: Document, pagenum: int) -> PageResult | PausedPage:
    """Processes a page up to where its lines are to be read; to its end where none are. See `Pipeline.run`."""
    paused: list[tuple[_State, list[Pixels]]] = []

    def work(page: WorkingPage) -> None:
        for stage in pipeline.stages:
            if not isinstance(stage, LineStage):
                stage.run(page)
            elif (asked := stage.ask(page)) is not None:
                if asked.crops:
                    paused.append((_state_of(page, document, stage, asked), asked.crops))
                    return
                stage.take(page, asked.state, [])

    result = on_page(document, pagenum, work)
    if not paused:
        return result
    state, crops = paused[0]
    return PausedPage(TypeAdapter(_State).dump_json(state).decode(), crops)


def finish(
    pipeline: Pipeline,
    state: str,
    readings: Sequence[Reading],
    pagenum: int,
    reopen: Callable[[], Document],
) -> PageResult:
    """Goes on with a page whose lines were read. See `Pipeline.run`.

    Args:
        pipeline: Built from the same options as the one that began.
        state: Of the `PausedPage`.
        readings: One a crop, in their order.
        pagenum: 0-based.
        reopen: Returns the same document; called only where the page is drawn.

    Raises:
        ValueError: If `state` or the number of readings is not what `begin` of that pipeline gave.
    """
    known = TypeAdapter(_State).validate_json(state)
    at = next(number for number, stage in enumerate(pipeline.stages) if isinstance(stage, LineStage))
    stage = pipeline.stages[at]
    assert isinstance(stage, LineStage)
    asked = TypeAdapter(stage.state_type).validate_json(known.asked)
    if len(readings) != known.crops:
        raise ValueError(f"{len(readings)} readings of {known.crops} lines")
    started = time.perf_counter()
    page = WorkingPage(None, known.width, known.height, known.resolution)

    def work() -> None:
        with ExitStack() as stack:
            if any(isinstance(later, Draw) for later in pipeline.stages[at:]):
                page.source = reopen().page(pagenum)
                stack.callback(page.source.close)
                next(stage for stage in pipeline.stages if isinstance(stage, Render)).run(page)
            page.to_rendered = known.to_rendered
            stage.take(page, asked, readings)
            for later in pipeline.stages[at + 1 :]:
                later.run(page)

    failure = failure_of(work)
    elapsed = (time.perf_counter() - started) * 1000
    return result_of(page, failure, pagenum, known.pages, elapsed, known.notes)


def _state_of(page: WorkingPage, document: Document, stage: LineStage[Any], asked: Asked[Any]) -> _State:
    return _State(
        document.info.pages,
        document.info.notes + (page.source.notes if page.source else ()),
        page.width,
        page.height,
        page.resolution,
        page.to_rendered,
        len(asked.crops),
        TypeAdapter(stage.state_type).dump_json(asked.state).decode(),
    )

"""A page in two halves: up to where its lines are to be read, and from there on.

In between it is plain data that any page process can take up. Its pixels are gone; if it is to be drawn, it is rendered
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from inkstream.ocr_core.engines.line_reader import Reading
from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.page import DocumentInfo, PageResult
from inkstream.ocr_core.pipeline.attempt import Attempt, opened_page
from inkstream.ocr_core.pipeline.pipeline import Pipeline
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
class PausedState:
    """What is known of a page in between.

    Attributes:
        info: Its document; with the notes of the page.
        width: Pixels.
        height: Pixels.
        resolution: dpi of all coordinates.
        to_rendered: Where a point of the pixels that were read is on the rendered page.
        crops: Number of lines that are to be read.
        asked: What the stage needs to go on, as JSON.
    """

    info: DocumentInfo
    width: int | None
    height: int | None
    resolution: int | None
    to_rendered: Affine
    crops: int
    asked: str


def begin(pipeline: Pipeline, document: Document, pagenum: int) -> PageResult | PausedPage:
    """Process a page up to where its lines are to be read; to its end if it has none. See `Pipeline.run`."""
    attempt = Attempt(document.info)
    with attempt, opened_page(document, pagenum) as page:
        attempt.page = page
        for stage in pipeline.stages:
            if not isinstance(stage, LineStage):
                stage.run(page)
            elif (asked := stage.ask(page)) is not None:
                if asked.crops:
                    return PausedPage(_state_of(page, document.info, stage, asked), asked.crops)
                stage.take(page, asked.state, [])
    return attempt.result(pagenum)


def finish(
    pipeline: Pipeline,
    state: str,
    readings: Sequence[Reading],
    pagenum: int,
    reopen: Callable[[], Document],
) -> PageResult:
    """Go on with a page whose lines were read. See `Pipeline.run`.

    Args:
        pipeline: Built from the same options as the one that began.
        state: Of the `PausedPage`.
        readings: One a crop, in their order.
        pagenum: 0-based.
        reopen: Returns the same document; called only if the page is drawn.

    Raises:
        ValueError: If `state` or the number of readings is not what `begin` of that pipeline gave.
    """
    known = TypeAdapter(PausedState).validate_json(state)
    at = next(number for number, stage in enumerate(pipeline.stages) if isinstance(stage, LineStage))
    stage, later = pipeline.stages[at], pipeline.stages[at + 1 :]
    assert isinstance(stage, LineStage)
    asked = TypeAdapter(stage.state_type).validate_json(known.asked)
    if len(readings) != known.crops:
        raise ValueError(f"{len(readings)} readings of {known.crops} lines")
    attempt = Attempt(known.info)
    attempt.page = page = WorkingPage(None, known.width, known.height, known.resolution)
    with attempt, ExitStack() as stack:
        if any(isinstance(each, Draw) for each in later):
            page.source = stack.enter_context(opened_page(reopen(), pagenum)).source
            next(each for each in pipeline.stages if isinstance(each, Render)).run(page)
        page.to_rendered = known.to_rendered
        stage.take(page, asked, readings)
        for each in later:
            each.run(page)
    return attempt.result(pagenum)


def _state_of(page: WorkingPage, info: DocumentInfo, stage: LineStage[Any], asked: Asked[Any]) -> str:
    notes = info.notes + (page.source.notes if page.source else ())
    state = PausedState(
        DocumentInfo(info.format, info.pages, notes),
        page.width,
        page.height,
        page.resolution,
        page.to_rendered,
        len(asked.crops),
        TypeAdapter(stage.state_type).dump_json(asked.state).decode(),
    )
    return TypeAdapter(PausedState).dump_json(state).decode()

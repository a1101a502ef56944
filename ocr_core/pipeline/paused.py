"""A page processed in two halves: until its lines have to be read, and after they were read.

Between the halves, the page is plain data that any page process can take up. Its pixels are dropped; if it is drawn,
it is rendered again.
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
from inkstream.ocr_core.text.words import Word

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
    """What is known about a page between the halves.

    Attributes:
        info: Its document, with the notes of the page.
        width: Pixels.
        height: Pixels.
        resolution: dpi of all coordinates.
        to_rendered: Map from the pixels that were read to the rendered page.
        crops: Number of lines to read.
        layer: Words of the text layer that are merged with what is read.
        asked: What the stage needs to continue, as JSON.
    """

    info: DocumentInfo
    width: int | None
    height: int | None
    resolution: int | None
    to_rendered: Affine
    layer: tuple[Word, ...]
    crops: int
    asked: str


def begin(pipeline: Pipeline, document: Document, pagenum: int) -> PageResult | PausedPage:
    """Process one page until its lines have to be read, or to the end if it has none. See `Pipeline.run`."""
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
    """Finish a page whose lines were read. See `Pipeline.run`.

    Args:
        pipeline: Built from the same options as the one that began.
        state: Of the `PausedPage`.
        readings: One per crop, in the same order.
        pagenum: 0-based.
        reopen: Returns the same document; called only if the page is drawn.

    Raises:
        ValueError: If `state` or the number of readings does not match what `begin` returned.
    """
    known = TypeAdapter(PausedState).validate_json(state)
    at = next(number for number, stage in enumerate(pipeline.stages) if isinstance(stage, LineStage))
    stage, later = pipeline.stages[at], pipeline.stages[at + 1 :]
    assert isinstance(stage, LineStage)
    asked = TypeAdapter(stage.state_type).validate_json(known.asked)
    if len(readings) != known.crops:
        raise ValueError(f"got {len(readings)} readings for {known.crops} lines")
    attempt = Attempt(known.info)
    attempt.has_lines = True
    attempt.page = page = WorkingPage(None, known.width, known.height, known.resolution)
    with attempt, ExitStack() as stack:
        if any(isinstance(each, Draw) for each in later):
            page.source = stack.enter_context(opened_page(reopen(), pagenum)).source
            next(each for each in pipeline.stages if isinstance(each, Render)).run(page)
        page.to_rendered, page.layer = known.to_rendered, known.layer
        stage.take(page, asked, readings)
        for each in later:
            each.run(page)
    return attempt.result(pagenum)


def _state_of(page: WorkingPage, info: DocumentInfo, stage: LineStage[Any], asked: Asked[Any]) -> str:
    notes = info.notes + (page.source.notes if page.source else ()) + page.notes
    state = PausedState(
        DocumentInfo(info.format, info.pages, notes),
        page.width,
        page.height,
        page.resolution,
        page.to_rendered,
        page.layer,
        len(asked.crops),
        TypeAdapter(stage.state_type).dump_json(asked.state).decode(),
    )
    return TypeAdapter(PausedState).dump_json(state).decode()

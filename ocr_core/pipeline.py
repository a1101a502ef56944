"""Stages in a chain, checked when it is built."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ocr_core.errors import (
    OUT_OF_MEMORY,
    ConfigError,
    DocumentError,
    EnvironmentFault,
    FailureKind,
    is_out_of_memory,
)
from ocr_core.geometry import Affine
from ocr_core.page import Decision, Failure, PageResult, Region

if TYPE_CHECKING:
    from ocr_core.document import Document, DocumentPage, Pixels
    from ocr_core.options import PipelineOptions

SOURCE = "source"
"""What every chain starts from: the open page."""

MOVED, RESTORED = "moved pixels", "restored regions"
"""What a chain that provides the first must provide in the end."""


@dataclass(slots=True)
class WorkingPage:
    """One page on its way through the stages.

    Attributes:
        source: The open page, provided by the pipeline; None where nothing is rendered any more.
        width: Pixels; with `resolution`, set by whichever stage first knows the size.
        height: Pixels.
        resolution: dpi of all coordinates.
        rendered: The page as rendered, uint8 `H x W` or `H x W x 3`; what overlays are drawn on.
        pixels: What is read: `rendered`, or what preprocessing made of it.
        to_rendered: Where a point of `pixels` is in `rendered`.
        regions: Detected, later recognised, areas in reading order, in the coordinates of `pixels`.
        text: The page's text, or None while nobody has read it; once there, reading stages do nothing.
        confidence: Mean over words, 0-100.
        engine: What produced the text.
        routing: What was decided about lines that the first engine was not sure of.
        overlay: Encoded picture.
        overlay_format: `jpeg`, `png` or `webp`.
    """

    source: DocumentPage | None
    width: int | None = None
    height: int | None = None
    resolution: int | None = None
    rendered: Pixels | None = None
    pixels: Pixels | None = None
    to_rendered: Affine = field(default_factory=Affine)
    regions: tuple[Region, ...] = ()
    text: str | None = None
    confidence: float | None = None
    engine: str | None = None
    routing: tuple[Decision, ...] = ()
    overlay: bytes | None = None
    overlay_format: str | None = None

    @property
    def pixels_resolution(self) -> int:
        """Dpi of `pixels`, which differs from `resolution` where they were scaled; 0 when unknown."""
        return round((self.resolution or 0) / self.to_rendered.scale)

    @property
    def engine_resolution(self) -> int:
        """Dpi to tell an engine of `pixels`; 0 when unknown.

        Enlarging does not raise it: small letters are enlarged where the recorded dpi was too high to begin with, and
        Tesseract takes the letters of a page that claims many dpi for dirt. That it claims too few does no harm.
        """
        return min(self.pixels_resolution, self.resolution or 0)

    def move(self, pixels: Pixels, step: Affine) -> None:
        """Replaces `pixels`; `step` maps a point of the new ones to the old ones."""
        self.pixels, self.to_rendered = pixels, step.then(self.to_rendered)


class Stage(Protocol):
    """One step of a page's journey.

    Attributes:
        name: As in messages and options.
        needs: What must be there before: `source`, `pixels`, `regions`, `text`.
        provides: What is there after.
    """

    @property
    def name(self) -> str:
        """How messages call it."""

    @property
    def needs(self) -> frozenset[str]:
        """What must be there before."""

    @property
    def provides(self) -> frozenset[str]:
        """What is there after."""

    def run(self, page: WorkingPage) -> None:
        """Does the step in place.

        Raises:
            DocumentError: For a fault of the document.
        """


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


def build_pipeline(options: PipelineOptions) -> Pipeline:
    """Builds the chain that the options describe. Engines open on the first page that needs them.

    Raises:
        ConfigError: When the chain cannot work, such as `per_region` without a detect stage.
    """
    from ocr_core.options import TextLayerMode
    from ocr_core.stages.detect import Detect
    from ocr_core.stages.draw import Draw
    from ocr_core.stages.preprocess import steps
    from ocr_core.stages.render import Render
    from ocr_core.stages.restore import Restore
    from ocr_core.stages.text_layer import TextLayer

    stages: list[Stage] = []
    reads_pixels = options.text_layer.mode is not TextLayerMode.ONLY
    if options.text_layer.mode is not TextLayerMode.IGNORE:
        stages.append(TextLayer(options.text_layer, options.render, options.recognize))
    if reads_pixels or options.draw:
        stages.append(Render(options.render, always=options.draw is not None))
    if reads_pixels:
        stages += steps(options)
        if options.detection:
            stages.append(Detect(options.detection, options.recognize))
        stages.append(_recognizer(options))
        if any(MOVED in stage.provides for stage in stages):
            stages.append(Restore())
    if options.draw:
        stages.append(Draw(options.draw))
    return Pipeline(tuple(stages))


def _recognizer(options: PipelineOptions) -> Stage:
    from ocr_core.engines.line_reader import open_line_reader

    recognize = options.recognize
    if recognize.engine in ("ppocr", "trocr"):
        from ocr_core.stages.read_lines import ReadLines

        return ReadLines(recognize, partial(open_line_reader, recognize))
    if recognize.engine == "auto":
        from ocr_core.stages.route import Route

        assert options.finder is not None
        return Route(recognize, options.finder, partial(open_line_reader, recognize))
    from ocr_core.stages.recognize import Recognize

    return Recognize(recognize)

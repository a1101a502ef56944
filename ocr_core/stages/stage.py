"""The interface of stages: the page they work on, and the names of what they need and provide."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.page import Decision, Region

if TYPE_CHECKING:
    from inkstream.ocr_core.documents.document import DocumentPage
    from inkstream.ocr_core.pixels import Pixels
    from inkstream.ocr_core.text.words import Word


SOURCE = "source"
"""The open page, which every chain starts from."""


MOVED, RESTORED = "moved pixels", "restored regions"
"""A chain that provides the first must also provide the second."""


@dataclass(slots=True)
class WorkingPage:
    """One page on its way through the stages.

    Attributes:
        source: The open page, provided by the pipeline; None once nothing is left to render.
        width: Pixels; set, with `resolution`, by the first stage that knows the size.
        height: Pixels.
        resolution: dpi of all coordinates.
        rendered: The page as rendered, uint8, `H x W` or `H x W x 3`; overlays are drawn on it.
        pixels: The picture to read: `rendered`, or the result of preprocessing.
        to_rendered: Map from `pixels` to `rendered`.
        regions: Areas, first detected and later recognised, in reading order, in coordinates of `pixels`.
        text: The page's text; None until it is read. Once it is set, reading stages do nothing.
        confidence: Mean over words, 0-100.
        engine: Name of the engine that produced the text.
        layer: Words of the text layer to merge with those that will be read, in coordinates of `rendered`.
        notes: Remarks for the page's row.
        routing: Decisions on lines that the first engine was unsure of.
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
    layer: tuple[Word, ...] = ()
    notes: tuple[str, ...] = ()
    routing: tuple[Decision, ...] = ()
    overlay: bytes | None = None
    overlay_format: str | None = None

    @property
    def pixels_resolution(self) -> int:
        """Dpi of `pixels`, which differs from `resolution` if they were scaled; 0 if unknown."""
        return round((self.resolution or 0) / self.to_rendered.scale)

    @property
    def engine_resolution(self) -> int:
        """Dpi of `pixels` to pass to an engine; 0 if unknown.

        Enlarging does not raise it. Small letters are enlarged if the recorded dpi was too high, and at a dpi that is
        too high Tesseract takes letters for dirt. A dpi that is too low does no harm.
        """
        return min(self.pixels_resolution, self.resolution or 0)

    def move(self, pixels: Pixels, step: Affine) -> None:
        """Replace `pixels`; `step` maps points of the new ones to the old ones."""
        self.pixels, self.to_rendered = pixels, step.then(self.to_rendered)


class Stage(Protocol):
    """One stage of the pipeline.

    Attributes:
        name: Its name in messages and options.
        needs: What must exist before it runs: `source`, `pixels`, `regions`, `text`.
        provides: What exists after it has run.
    """

    @property
    def name(self) -> str:
        """Name in messages and options."""

    @property
    def needs(self) -> frozenset[str]:
        """What must exist before it runs."""

    @property
    def provides(self) -> frozenset[str]:
        """What exists after it has run."""

    def run(self, page: WorkingPage) -> None:
        """Change the page in place.

        Raises:
            DocumentError: For a fault in the document.
        """

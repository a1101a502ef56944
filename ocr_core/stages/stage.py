"""What every stage shares: the page it works on, and the names of what it needs and provides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.page import Decision, Region

if TYPE_CHECKING:
    from inkstream.ocr_core.documents.document import DocumentPage
    from inkstream.ocr_core.pixels import Pixels


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

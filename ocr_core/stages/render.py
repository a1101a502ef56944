"""Rendering the page."""

from __future__ import annotations

from dataclasses import dataclass

from inkstream.ocr_core.options import RenderOptions
from inkstream.ocr_core.stages.stage import SOURCE, WorkingPage


@dataclass(frozen=True)
class Render:
    """A stage that renders a PDF page or decodes an image.

    Attributes:
        options: Resolution, colour and the pixel limit.
        always: Render even a page whose text is already known, because it will be drawn.
    """

    options: RenderOptions
    always: bool = False
    name: str = "render"
    needs: frozenset[str] = frozenset({SOURCE})
    provides: frozenset[str] = frozenset({"pixels"})

    def run(self, page: WorkingPage) -> None:
        """Set `rendered`, `pixels` and the size."""
        if page.text is not None and not self.always:
            return
        assert page.source is not None
        raster = page.source.render(self.options)
        page.rendered = page.pixels = raster.pixels
        page.height, page.width = raster.pixels.shape[:2]
        page.resolution = raster.resolution

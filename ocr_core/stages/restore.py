"""Mapping regions back to the rendered page."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inkstream.ocr_core.geometry import Affine, Box
from inkstream.ocr_core.stages.stage import RESTORED, WorkingPage


@dataclass(frozen=True)
class Restore:
    """A stage that undoes the moves of preprocessing: `pixels` becomes `rendered`, with the regions mapped to it.

    Text that preprocessing turned upright keeps its angle: a page that was scanned on its side has boxes of 90
    degrees, whose width runs along the text.
    """

    name: str = "restore"
    needs: frozenset[str] = frozenset({"regions"})
    provides: frozenset[str] = frozenset({"regions", RESTORED})

    def run(self, page: WorkingPage) -> None:
        """Map every region's box, rounded to 0.01 pixels and 0.001 degrees."""
        if page.to_rendered != Affine():
            page.regions = tuple(
                replace(region, box=_rounded(page.to_rendered.box(region.box))) for region in page.regions
            )
        page.pixels, page.to_rendered = page.rendered, Affine()


def _rounded(box: Box) -> Box:
    left, top, width, height = (round(value, 2) for value in (box.left, box.top, box.width, box.height))
    return Box(left, top, width, height, round(box.angle, 3))

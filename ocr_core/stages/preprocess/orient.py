"""Turning pages that are sideways or upside down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from inkstream.ocr_core.engines.tesseract.osd import open_osd
from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.options import OrientOptions, RecognizeOptions
from inkstream.ocr_core.stages.preprocess.step import PixelStep
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels


@dataclass(frozen=True)
class Orient(PixelStep):
    """A step that turns the page upright, by a multiple of 90 degrees."""

    options: OrientOptions
    recognize: RecognizeOptions
    name: ClassVar[str] = "orient"
    moves: ClassVar[bool] = True

    def change(self, pixels: Pixels, page: WorkingPage) -> tuple[Pixels, Affine]:
        """Return the page turned upright; unchanged if Tesseract is not sure enough."""
        if self.options.angle is not None:
            return turn(pixels, self.options.angle)
        found = open_osd(self.recognize).orientation(pixels, page.engine_resolution, self.recognize.time_limit)
        return turn(pixels, found.angle if found.confidence >= self.options.min_confidence else 0)


def turn(pixels: Pixels, angle: int) -> tuple[Pixels, Affine]:
    """Turn a picture by a multiple of 90 degrees.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        angle: 0, 90, 180 or 270 degrees clockwise.

    Returns:
        The turned picture, and the map from it to `pixels`.
    """
    height, width = pixels.shape[:2]
    back = {
        0: Affine(),
        90: Affine(0, 1, 0, -1, 0, height),
        180: Affine(-1, 0, width, 0, -1, height),
        270: Affine(0, -1, width, 1, 0, 0),
    }[angle]
    return np.ascontiguousarray(np.rot90(pixels, -angle // 90)), back

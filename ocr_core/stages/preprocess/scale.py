"""Scaling the page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PIL import Image

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.options import ScaleOptions
from inkstream.ocr_core.pixels import MAX_SIDE
from inkstream.ocr_core.stages.preprocess.components import find_components
from inkstream.ocr_core.stages.preprocess.step import PixelStep, otsu_level, to_gray
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

_CAPITAL = 0.72
"""Height of capitals, digits and letters such as `d`, as a share of the font size."""

_FEW = 20
"""Least number of letters from which the text size of a page can be measured."""

_FACTORS = (0.25, 4.0)
"""Limits of the factor for `text_height`; beyond them, what was measured is not text, or too small to gain from it."""


@dataclass(frozen=True)
class Scale(PixelStep):
    """A step that scales the page."""

    options: ScaleOptions
    max_pixels: int
    name: ClassVar[str] = "scale"
    moves: ClassVar[bool] = True

    def change(self, pixels: Pixels, page: WorkingPage) -> tuple[Pixels, Affine]:  # noqa: ARG002
        """Return the scaled page."""
        return scale(pixels, self.options, self.max_pixels)


def scale(pixels: Pixels, options: ScaleOptions, max_pixels: int) -> tuple[Pixels, Affine]:
    """Scale a picture.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        options: Method and its parameters.
        max_pixels: A larger result is reduced to this size, with the same proportions.

    Returns:
        The new picture, and the map from it to `pixels`.
    """
    height, width = pixels.shape[:2]
    x, y = _factors(pixels, options)
    allowed = min(1.0, math.sqrt(max_pixels / (x * width * y * height)), MAX_SIDE / max(x * width, y * height))
    size = max(1, int(x * allowed * width + 0.5)), max(1, int(y * allowed * height + 0.5))
    if size == (width, height):
        return pixels, Affine()
    made = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(made), Affine(a=width / size[0], e=height / size[1])


def _factors(pixels: Pixels, options: ScaleOptions) -> tuple[float, float]:
    height, width = pixels.shape[:2]
    if options.method == "factor":
        return options.factor, options.factor
    if options.method == "size":
        sides = (options.width or math.inf) / width, (options.height or math.inf) / height
        if options.keep_ratio or math.inf in sides:
            return min(sides), min(sides)
        return sides
    found = text_height(to_gray(pixels))
    factor = 1.0 if found is None else min(max(options.text_height / found, _FACTORS[0]), _FACTORS[1])
    return factor, factor


def text_height(gray: Pixels) -> float | None:
    """Measure the font size of a page's text in pixels; None if there is too little text.

    It uses the 75th percentile of letter heights, which is the height of capitals and of letters such as `d` whether
    or not the page is in capitals.

    Args:
        gray: uint8 `H x W`.
    """
    found = find_components(gray < otsu_level(gray))
    like_letters = (
        (found.height >= 5)
        & (found.height <= max(gray.shape) / 10)
        & (found.width >= 2)
        & (found.width <= 4 * found.height)
        & (found.height <= 8 * found.width)
    )
    heights = found.height[like_letters]
    return float(np.percentile(heights, 75)) / _CAPITAL if len(heights) >= _FEW else None

"""Removing dust and grain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.options import DenoiseOptions
from inkstream.ocr_core.stages.preprocess.components import find_components
from inkstream.ocr_core.stages.preprocess.step import PixelStep, otsu_level, paper_color, to_gray
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels


@dataclass(frozen=True)
class Denoise(PixelStep):
    """A step that removes dust and grain."""

    options: DenoiseOptions
    name: ClassVar[str] = "denoise"

    def change(self, pixels: Pixels, page: WorkingPage) -> tuple[Pixels, Affine]:  # noqa: ARG002
        """Return cleaner pixels; nothing moves."""
        return denoise(pixels, self.options), Affine()


def denoise(pixels: Pixels, options: DenoiseOptions) -> Pixels:
    """Return the picture without dust and grain, with the same size and colours.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        options: Method and its parameters.
    """
    if options.method == "median":
        return median(pixels)
    gray = to_gray(pixels)
    found = find_components(gray < otsu_level(gray))
    cleaned = pixels.copy()
    channels = cleaned.reshape(gray.size, -1)
    channels[found.pixels_of(found.area <= options.max_area)] = paper_color(pixels)
    return cleaned


def median(pixels: Pixels) -> Pixels:
    """Return the median of each pixel and its eight neighbours, channel by channel.

    Each column of three is sorted first; the median of nine is then the median of the largest low, the middle mid and
    the smallest high of three columns (Smith 1996). About ten times faster than Pillow's filter on grainy pages.
    """
    around = np.pad(pixels, ((1, 1), (1, 1), *((0, 0),) * (pixels.ndim - 2)), mode="edge")
    low, middle, high = _sorted(around[:-2], around[1:-1], around[2:])
    return _sorted(
        np.maximum(np.maximum(low[:, :-2], low[:, 1:-1]), low[:, 2:]),
        _sorted(middle[:, :-2], middle[:, 1:-1], middle[:, 2:])[1],
        np.minimum(np.minimum(high[:, :-2], high[:, 1:-1]), high[:, 2:]),
    )[1]


def _sorted(a: Pixels, b: Pixels, c: Pixels) -> tuple[Pixels, Pixels, Pixels]:
    """Sort three pictures pixel by pixel."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    return np.minimum(low, c), np.maximum(low, np.minimum(high, c)), np.maximum(high, c)

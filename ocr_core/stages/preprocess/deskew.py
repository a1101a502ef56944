"""Deskewing: turning the page until its lines are horizontal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.options import DeskewOptions
from inkstream.ocr_core.pixels import MAX_SIDE
from inkstream.ocr_core.stages.preprocess.step import PixelStep, fill, paper_color, to_gray
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

_SIDE = 1200
"""Longer side of the copy on which skew is measured, pixels: about 100 dpi for a letter page."""

_COARSE = 0.25
"""Degrees between the first tries; a page's peak is about half a degree wide."""

_DISTINCT = 2.0
"""Least ratio of the best score to the median: pages of text have 3 to 20, noise and empty paper 1."""


@dataclass(frozen=True)
class Deskew(PixelStep):
    """A step that turns the page so that its lines are horizontal."""

    options: DeskewOptions
    max_pixels: int
    name: ClassVar[str] = "deskew"
    moves: ClassVar[bool] = True

    def change(self, pixels: Pixels, page: WorkingPage) -> tuple[Pixels, Affine]:  # noqa: ARG002
        """Return the turned page, with corners in the paper's colour."""
        return deskew(pixels, self.options, self.max_pixels)


def deskew(pixels: Pixels, options: DeskewOptions, max_pixels: int) -> tuple[Pixels, Affine]:
    """Turn a page until its lines are horizontal, or by a fixed angle.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        options: The range to search, or the angle.
        max_pixels: The page grows so that no corner is lost, but only up to this size.

    Returns:
        The turned page, and the map from it to `pixels`; the page itself if it is already straight.
    """
    skew = find_skew(to_gray(pixels), options) if options.angle is None else -options.angle
    if abs(skew) < options.resolution / 2:
        return pixels, Affine()
    height, width = pixels.shape[:2]
    cos, sin = math.cos(math.radians(skew)), abs(math.sin(math.radians(skew)))
    size = math.ceil(width * cos + height * sin), math.ceil(width * sin + height * cos)
    if size[0] * size[1] > max_pixels or max(size) > MAX_SIDE:
        size = width, height
    back = Affine.turn(skew, (size[0] / 2, size[1] / 2), (width / 2, height / 2))
    turned = Image.fromarray(pixels).transform(
        size,
        Image.Transform.AFFINE,
        (back.a, back.b, back.c, back.d, back.e, back.f),
        Image.Resampling.BICUBIC,
        fillcolor=fill(paper_color(pixels)),
    )
    return np.asarray(turned), back


def find_skew(gray: Pixels, options: DeskewOptions) -> float:
    """Measure the skew of a page's lines in degrees clockwise (downhill is positive); 0 if there are no lines.

    Ink is summed along parallel lines at each angle. At the angle of the text, neighbouring sums differ most (Postl
    1986; Bloomberg, Kopec and Dasari 1995). A best angle at either end of the range is not a peak and counts as 0.

    Args:
        gray: uint8 `H x W`.
        options: Range and resolution, in degrees.
    """
    x, y = _ink(gray)
    count = math.ceil(options.half_angle / _COARSE)
    tries = np.linspace(-options.half_angle, options.half_angle, 2 * count + 1)
    scores = _scores(x, y, tries)
    best = int(np.argmax(scores))
    if best in (0, len(tries) - 1) or scores[best] < _DISTINCT * np.median(scores):
        return 0.0
    if options.resolution < _COARSE:
        tries = np.arange(tries[best - 1], tries[best + 1] + options.resolution / 2, options.resolution)
        scores = _scores(x, y, tries)
        best = int(np.argmax(scores))
    return float(tries[best])


def _ink(gray: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the coordinates, from the centre, of pixels darker than their surroundings in a reduced copy.

    Each is moved at random within its pixel; otherwise the pixel grid itself looks like lines at 0 and 45 degrees.
    """
    picture = Image.fromarray(gray)
    small = picture.reduce(max(1, round(max(picture.size) / _SIDE)))
    around = np.asarray(small.filter(ImageFilter.BoxBlur(7)), dtype=np.int16)
    y, x = np.nonzero(np.asarray(small) < around - 20)
    within = np.random.default_rng(0).random((2, len(x)), dtype=np.float32)
    return x + within[0] - np.float32(small.width / 2), y + within[1] - np.float32(small.height / 2)


def _scores(x: NDArray[np.float32], y: NDArray[np.float32], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    reach = math.ceil(math.hypot(np.abs(x).max(initial=0), np.abs(y).max(initial=0))) + 1
    scores = np.empty(len(angles))
    for number, angle in enumerate(np.radians(angles)):
        rows = y * np.float32(math.cos(angle)) - x * np.float32(math.sin(angle)) + np.float32(reach)
        sums = np.bincount(rows.astype(np.int32), minlength=2 * reach + 1)
        scores[number] = np.square(np.diff(sums)).sum()
    return scores

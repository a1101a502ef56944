"""Page pixels, and how rotated boxes are cut out of them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkstream.ocr_core.geometry import Box

Pixels = NDArray[np.uint8]
"""`H x W` (gray) or `H x W x 3` (RGB), 0 is black."""

MAX_SIDE = 32_767
"""Longest side, in pixels, that Tesseract and JPEG accept."""

_LEVEL = 0.05
"""Degrees below which a box is cut out without turning it: over 1000 pixels, that is one pixel."""


def cut(pixels: Pixels, box: Box) -> Pixels:
    """Return the pixels in a box, turned upright; beyond the page, its edge is repeated.

    Args:
        pixels: uint8, `H x W` or `H x W x 3`.
        box: Pixels of the page.

    Returns:
        As many channels, about `box.height x box.width`, at least one pixel each way.
    """
    across, down = max(1, round(box.width)), max(1, round(box.height))
    left, top = round(box.left), round(box.top)
    if abs(box.angle) < _LEVEL:
        return _window(pixels, left, top, across, down)
    corners = box.corners()
    reach = [math.ceil(max(corner[axis] for corner in corners) - box.center[axis]) + 1 for axis in (0, 1)]
    reach = [max(reach[0], across // 2 + 1), max(reach[1], down // 2 + 1)]  # turning needs room for the result, too
    x, y = (round(place) for place in box.center)
    around = _window(pixels, x - reach[0], y - reach[1], 2 * reach[0], 2 * reach[1])
    turned = np.asarray(Image.fromarray(around).rotate(box.angle, Image.Resampling.BICUBIC))
    return turned[reach[1] - down // 2 :, reach[0] - across // 2 :][:down, :across]


def _window(pixels: Pixels, left: int, top: int, width: int, height: int) -> Pixels:
    rows = np.clip(np.arange(top, top + height), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(left, left + width), 0, pixels.shape[1] - 1)
    return np.ascontiguousarray(pixels[rows[:, None], columns])


def part(box: Box, start: float, end: float) -> Box:
    """Return the part of a box between two places along the text.

    Args:
        box: Pixels of the page.
        start: 0 at the left end.
        end: 1 at the right end.
    """
    width = box.width * (end - start)
    shift = box.width * ((start + end) / 2 - 0.5)
    angle = math.radians(box.angle)
    x = box.left + box.width / 2 + shift * math.cos(angle)
    y = box.top + box.height / 2 + shift * math.sin(angle)
    return Box(x - width / 2, y - box.height / 2, width, box.height, box.angle)

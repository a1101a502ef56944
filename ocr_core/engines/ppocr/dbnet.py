"""Text detection with DBNet.

Liao et al., Real-time Scene Text Detection with Differentiable Binarization, AAAI 2020.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inkstream.ocr_core.engines.ppocr.models import find_model, open_session
from inkstream.ocr_core.geometry import Box

if TYPE_CHECKING:
    import cv2.typing

    from inkstream.ocr_core.options import DetectOptions
    from inkstream.ocr_core.pixels import Pixels

_MULTIPLE = 32
"""Sides are multiples of this, because the network halves its input five times."""
_UNCLIP = 1.6
"""PaddleOCR's ratio for growing regions back: the network is trained on shrunk ones."""
_MIN_SIDE = 3
"""Pixels of the probability map; smaller spots are noise."""

ProbabilityMap = NDArray[np.float32]
_Rectangle = tuple[Sequence[float], Sequence[float], float]
"""Center, size, angle."""


@dataclass(frozen=True, slots=True)
class Detected:
    """An area with text.

    Attributes:
        box: Pixels of the picture, rotated with the text.
        score: Mean text probability inside, 0-1.
    """

    box: Box
    score: float


def detect(pixels: Pixels, options: DetectOptions) -> list[Detected]:
    """Find areas with text, in no particular order.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        options: Thresholds, and the size of the network's input.

    Raises:
        EnvironmentFault: If the model is missing.
    """
    probabilities = _probabilities(pixels, options)
    height, width = pixels.shape[:2]
    across, down = width / probabilities.shape[1], height / probabilities.shape[0]
    return _regions(probabilities, options, across, down)


def warm_up(options: DetectOptions) -> None:
    """Open the model, so that the first page does not wait for it.

    Raises:
        EnvironmentFault: If the model is missing.
    """
    detect(np.zeros((_MULTIPLE, _MULTIPLE), np.uint8), options)


def _probabilities(pixels: Pixels, options: DetectOptions) -> ProbabilityMap:
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, options.width / max(height, width)) if options.width else 1.0
    size = [max(_MULTIPLE, round(side * scale / _MULTIPLE) * _MULTIPLE) for side in (width, height)]
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    color = np.repeat(small[..., None], 3, axis=2) if small.ndim == 2 else small[..., ::-1]  # trained on BGR
    tensor = (color.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None]
    session = open_session(find_model("det", options.model))
    result: ProbabilityMap = session.run(None, {session.get_inputs()[0].name: tensor})[0][0, 0]
    return result


def _regions(probabilities: ProbabilityMap, options: DetectOptions, across: float, down: float) -> list[Detected]:
    import cv2

    mask = cv2.dilate((probabilities > options.text_threshold).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) < _MIN_SIDE:
            continue
        score = _score(probabilities, contour)
        if score >= options.score_threshold:
            found.append(Detected(_page_box(rectangle, across, down), score))
    return found


def _score(probabilities: ProbabilityMap, contour: cv2.typing.MatLike) -> float:
    import cv2

    left, top, width, height = cv2.boundingRect(contour)
    inside = np.zeros((height, width), np.uint8)
    cv2.drawContours(inside, [contour], -1, 1, cv2.FILLED, offset=(-left, -top))
    return float(cv2.mean(probabilities[top : top + height, left : left + width], inside)[0])


def _page_box(rectangle: _Rectangle, across: float, down: float) -> Box:
    """Turn OpenCV's rectangle on the map into a box on the page, grown back to the size of the text.

    The box's width runs along the text, within 45 degrees of horizontal. The map's x and y scales differ slightly.
    """
    center, (width, height), angle = rectangle
    grow = width * height * _UNCLIP / (width + height)
    angle = (angle + 45) % 180 - 45
    if angle >= 45:
        width, height, angle = height, width, angle - 90
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    wide = (width + grow) * math.hypot(cos * across, sin * down)
    high = (height + grow) * math.hypot(sin * across, cos * down)
    x, y = (center[0] + 0.5) * across, (center[1] + 0.5) * down
    angle = math.degrees(math.atan2(sin * down, cos * across))
    return Box(x - wide / 2, y - high / 2, wide, high, angle)

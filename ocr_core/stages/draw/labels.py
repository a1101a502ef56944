"""Placing labels on a picture so that they hide no text.

Each label tries places around its region, then in its corners, and takes the one that hides the least ink; ink of its
own region counts most. If every place would hide letters or another label, the label is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Point = tuple[float, float]
Quad = tuple[Point, ...]
"""Four corners: top left, top right, bottom right, bottom left, as the text runs."""

_EDGE = 40
"""Least difference of gray between neighbouring pixels that counts as ink; finds letters on any background."""

_OWN = 10.0
"""Extra cost of hiding the region's own ink, relative to other ink."""

_INSIDE = 0.02
"""Cost of a place inside the region even if it is blank, as a share of the label's area."""

_LATER = 0.004
"""Cost of each further place in the list, also as a share of the label's area."""

_MOST_HIDDEN = 0.05
"""Share of a label's area that may be ink; allows specks and rules, but not letters."""


@dataclass(frozen=True, slots=True)
class LabelPlace:
    """A label's upper left corner and size, in pixels of the picture."""

    left: int
    top: int
    width: int
    height: int

    @property
    def window(self) -> tuple[slice, slice]:
        """The rows and columns it covers."""
        return slice(self.top, self.top + self.height), slice(self.left, self.left + self.width)


class LabelPlacer:
    """Places labels on one picture, one after the other.

    Args:
        gray: The picture, `H x W`, uint8.
        gap: Pixels between a region and its label.
    """

    def __init__(self, gray: NDArray[np.uint8], gap: int) -> None:
        self._height, self._width = gray.shape
        self._gap = gap
        values = gray.astype(np.int16)
        ink = np.zeros(gray.shape, dtype=bool)
        ink[:, 1:] |= np.abs(np.diff(values, axis=1)) > _EDGE
        ink[1:] |= np.abs(np.diff(values, axis=0)) > _EDGE
        self._sums = np.zeros((self._height + 1, self._width + 1), dtype=np.int32)
        self._sums[1:, 1:] = ink.cumsum(axis=0, dtype=np.int32).cumsum(axis=1, dtype=np.int32)
        self._taken = np.zeros(gray.shape, dtype=bool)

    def find(self, quad: Quad, width: int, height: int) -> LabelPlace | None:
        """Reserve and return the best place for a label of `width` x `height` by a region; None if there is no room."""
        if width > self._width or height > self._height:
            return None
        area = width * height
        best, least = None, math.inf
        for number, (x, y) in enumerate(_around(quad, width, height, self._gap)):
            left = min(max(round(x - width / 2), 0), self._width - width)
            top = min(max(round(y - height / 2), 0), self._height - height)
            place = LabelPlace(left, top, width, height)
            hidden = self._ink(place) / area
            if hidden > _MOST_HIDDEN or self._taken[place.window].any():
                continue
            inside = _overlap(quad, place) / area
            cost = hidden * (1 + _OWN * inside) + _INSIDE * inside + _LATER * number
            if cost < least:
                best, least = place, cost
        if best is not None:
            self._taken[best.window] = True
        return best

    def _ink(self, place: LabelPlace) -> int:
        top, left = place.top, place.left
        bottom, right = top + place.height, left + place.width
        sums = self._sums
        return int(sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left])


def _around(quad: Quad, width: int, height: int, gap: int) -> Iterator[Point]:
    """Yield centres of places, best first: after the region, above, before, below it, then in its corners."""
    top_left, top_right, bottom_right, bottom_left = quad
    label = (width, height, gap)
    yield from _along(top_right, bottom_right, (0.5,), label)
    yield from _along(top_left, top_right, (1.0, 0.0, 0.5), label)
    yield from _along(bottom_left, top_left, (0.5,), label)
    yield from _along(bottom_right, bottom_left, (0.0, 1.0, 0.5), label)
    yield from _along(top_right, bottom_right, (0.0, 1.0), label)
    yield from _along(bottom_left, top_left, (1.0, 0.0), label)
    inwards = (width, height, -gap - height)
    yield from _along(top_left, top_right, (1.0, 0.0), inwards)
    yield from _along(bottom_right, bottom_left, (0.0, 1.0), inwards)


def _along(first: Point, second: Point, shares: tuple[float, ...], label: tuple[int, int, int]) -> Iterator[Point]:
    """Yield centres outside one edge, at the given shares of the distance that the label can move along it."""
    width, height, gap = label
    length = math.dist(first, second)
    if length == 0:
        return
    along = ((second[0] - first[0]) / length, (second[1] - first[1]) / length)
    outward = (along[1], -along[0])  # corners run clockwise as seen on the page
    half_along = (abs(along[0]) * width + abs(along[1]) * height) / 2
    half_outward = (abs(outward[0]) * width + abs(outward[1]) * height) / 2
    for share in shares:
        at = half_along + share * (length - 2 * half_along)
        yield (
            first[0] + along[0] * at + outward[0] * (gap + half_outward),
            first[1] + along[1] * at + outward[1] * (gap + half_outward),
        )


def _overlap(quad: Quad, place: LabelPlace) -> float:
    """Return the area, in pixels, shared by a region and a place (Sutherland-Hodgman clipping)."""
    right, bottom = place.left + place.width, place.top + place.height
    polygon = list(quad)
    for axis, limit, keeps_less in ((0, place.left, False), (0, right, True), (1, place.top, False), (1, bottom, True)):
        polygon = _clip(polygon, axis, limit, keeps_less)
    area = 0.0
    for (x1, y1), (x2, y2) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        area += x1 * y2 - x2 * y1
    return abs(area) / 2


def _clip(polygon: list[Point], axis: int, limit: float, keeps_less: bool) -> list[Point]:
    kept: list[Point] = []
    for here, there in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        inside = here[axis] <= limit if keeps_less else here[axis] >= limit
        enters = there[axis] <= limit if keeps_less else there[axis] >= limit
        if inside:
            kept.append(here)
        if inside != enters:
            share = (limit - here[axis]) / (there[axis] - here[axis])
            kept.append((here[0] + share * (there[0] - here[0]), here[1] + share * (there[1] - here[1])))
    return kept

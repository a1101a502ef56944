"""A line of text as a strip: its place, height and direction, from the boxes of its words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from inkstream.ocr_core.export.tree import Element
from inkstream.ocr_core.geometry import Box

_DESCENDING = frozenset("gjpqyQ,;()[]{}|/\\_@$§ßçµ")
"""Characters that reach below the line they stand on, in most typefaces."""

_MOST_SLOPE = 0.2
"""Rise over run above which words are not taken to stand on one line."""

_MOST_POINTS = 50


@dataclass(frozen=True, slots=True)
class Strip:
    """A line of text in coordinates of its own: u along the text, v across it, downwards.

    Attributes:
        angle: Degrees clockwise from the page's x axis to u; both have the page's origin.
        bottom: v of the lower edge.
        height: Pixels, above zero.
        words: Each word's text, its first u and its last u; in reading order.
    """

    angle: float
    bottom: float
    height: float
    words: tuple[tuple[str, float, float], ...]

    def at(self, u: float) -> tuple[float, float]:
        """Return the pixel (x, y) of a place on the lower edge."""
        return _turned(u, self.bottom, self.angle)


def strip_of(line: Element) -> Strip | None:
    """Return the strip around a line's words that have boxes; None if there are none."""
    words = [word for word in line.children if word.box is not None and word.text]
    if not words:
        return None
    angle = median(word.box.angle for word in words if word.box)
    spans = [_span(word.box, angle) for word in words if word.box]
    slope = _slope([((left + right) / 2, bottom) for left, _, right, bottom in spans])
    if abs(slope) * (spans[-1][2] - spans[0][0]) < 0.5 * median(bottom - top for _, top, _, bottom in spans):
        slope = 0.0  # the words' own heights vary more than that
    if slope:
        lower = max(bottom - slope * (left + right) / 2 for left, _, right, bottom in spans)
        upper = min(top - slope * (left + right) / 2 for left, top, right, _ in spans)
    else:
        lower, upper = max(span[3] for span in spans), min(span[1] for span in spans)
    lean = math.degrees(math.atan(slope))
    stretch = math.hypot(1, slope)
    bottom = _turned(0, lower, -lean)[1]
    shift = _turned(0, lower, -lean)[0]
    placed = tuple(
        (word.text, left * stretch + shift, right * stretch + shift)
        for word, (left, _, right, _) in zip(words, spans, strict=True)
    )
    return Strip(angle + lean, bottom, max(1.0, (lower - upper) / stretch), placed)


def baseline_of(line: Element) -> tuple[float, float] | None:
    """Estimate the baseline of an upright line of text.

    It is estimated from the lower edges of words without descending letters, if there are any.

    Returns:
        Slope, and y on the page at x = 0, with y down; None for rotated lines and lines without words.
    """
    words = [word for word in line.children if word.box is not None and word.text]
    if not words or any(word.box.angle for word in words if word.box):
        return None
    standing = [word for word in words if not _DESCENDING.intersection(word.text)] or words
    feet = [(w.box.left + w.box.width / 2, w.box.bottom) for w in standing if w.box]
    slope = _slope(feet)
    return slope, median(y - slope * x for x, y in feet)


def spread(element: Element) -> None:
    """Set the box of every element without one to its share of the enclosing box.

    Lines share it equally, words by their length. Readers then find the text at about its place on the page.
    """
    for child, start, end in _shares(element):
        if child.box is None and element.box is not None:
            along = child.text != ""
            child.box = _part(element.box, start, end, along=along)
        spread(child)


def _shares(element: Element) -> list[tuple[Element, float, float]]:
    """Return each child with the start and end (0 to 1) of its share of the element."""
    sizes = [_size(child) for child in element.children]
    total = sum(sizes)
    shares, done = [], 0.0
    for child, size in zip(element.children, sizes, strict=True):
        space = 1 if child.text else 0  # after a word
        shares.append((child, done / total, (done + size - space) / total))
        done += size
    return shares


def _size(element: Element) -> int:
    """Return the number of characters of a word and the space after it, or of lines in a larger element."""
    if element.text:
        return len(element.text) + 1
    return max(1, sum(_size(child) if not child.text else 0 for child in element.children))


def _part(box: Box, start: float, end: float, *, along: bool) -> Box:
    """Return a part of a possibly rotated box, cut along the text or across it."""
    middle = (start + end) / 2 - 0.5
    width, height = (box.width * (end - start), box.height) if along else (box.width, box.height * (end - start))
    dx, dy = _turned(box.width * middle if along else 0, 0 if along else box.height * middle, box.angle)
    x, y = box.left + box.width / 2 + dx, box.top + box.height / 2 + dy
    return Box(x - width / 2, y - height / 2, width, height, box.angle)


def _span(box: Box, angle: float) -> tuple[float, float, float, float]:
    """Return left, top, right, bottom of a box in axes turned by `angle` about the page's origin."""
    us, vs = zip(*(_turned(x, y, -angle) for x, y in box.corners()), strict=True)
    return min(us), min(vs), max(us), max(vs)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the median of the slopes between points (Theil-Sen: one odd word does not tilt the line).

    Return 0 if there are fewer than three points, or if the slope is implausible. Of a long line, use every n-th word.
    """
    used = points[:: 1 + len(points) // _MOST_POINTS]
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(used, 2) if x1 != x2]
    slope = median(slopes) if len(used) >= 3 and slopes else 0.0
    return slope if abs(slope) <= _MOST_SLOPE else 0.0


def _turned(x: float, y: float, angle: float) -> tuple[float, float]:
    """Turn a point clockwise (y down) about the origin."""
    if not angle:
        return x, y
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return x * cos - y * sin, x * sin + y * cos

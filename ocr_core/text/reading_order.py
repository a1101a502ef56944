"""Ordering detected areas into lines in reading order, also on skewed pages and pages with several columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from inkstream.ocr_core.geometry import Box

_GUTTER = 1.5
"""Width, in line heights, of a gap from top to bottom that separates columns."""
_COLUMN = 6.0
"""Least width of a column, in line heights; narrower stacks are numbers beside labels, which are read across."""
_OVERLAP = 0.3
"""Share of the smaller box; two boxes that overlap by more are one area found twice."""


def skew(boxes: Iterable[Box]) -> float:
    """Return the angle of most of the text in degrees: the median over boxes, weighted by width."""
    wide = sorted((box.angle, box.width) for box in boxes if box.width > 1.5 * box.height)
    half = sum(width for _, width in wide) / 2
    for angle, width in wide:
        half -= width
        if half <= 0:
            return angle
    return 0.0


def enclosing(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around boxes (at least one), at their mean angle weighted by width."""
    if len(boxes) == 1:
        return boxes[0]
    if not any(box.angle for box in boxes):
        left, top = min(box.left for box in boxes), min(box.top for box in boxes)
        right, bottom = max(box.right for box in boxes), max(box.bottom for box in boxes)
        return Box(left, top, right - left, bottom - top)
    total = sum(box.width for box in boxes) or 1.0
    angle = sum(box.angle * box.width for box in boxes) / total
    return _turned_back(_upright(boxes, angle), angle)


def _upright(boxes: Sequence[Box], angle: float) -> Box:
    """Return the upright box around boxes, in a frame turned by `angle`."""
    corners = [_turn(x, y, -angle) for box in boxes for x, y in box.corners()]
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    right, bottom = max(x for x, _ in corners), max(y for _, y in corners)
    return Box(left, top, right - left, bottom - top)


def _turned_back(box: Box, angle: float) -> Box:
    x, y = _turn(box.left + box.width / 2, box.top + box.height / 2, angle)
    return Box(x - box.width / 2, y - box.height / 2, box.width, box.height, angle)


def _turn(x: float, y: float, angle: float) -> tuple[float, float]:
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return x * cos - y * sin, x * sin + y * cos


@dataclass(frozen=True, slots=True)
class Line:
    """A line: areas that stand side by side.

    Attributes:
        block: Number of the column or section it belongs to.
        boxes: Left to right, at least one.
    """

    block: int
    boxes: tuple[Box, ...]


def merge_intersecting(boxes: Sequence[Box]) -> list[Box]:
    """Join areas that overlap, until none do."""
    angle = skew(boxes)
    waiting = [(box, _upright([box], angle)) for box in boxes]
    merged: list[tuple[Box, Box]] = []
    while waiting:
        box, flat = waiting.pop()
        touching = next((i for i, (_, other) in enumerate(merged) if _overlap(flat, other) > _OVERLAP), None)
        if touching is None:
            merged.append((box, flat))
        else:
            other, _ = merged.pop(touching)
            joined = enclosing([box, other])
            waiting.append((joined, _upright([joined], angle)))
    return [box for box, _ in merged]


def _overlap(one: Box, other: Box) -> float:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return across * down / smaller if across > 0 and down > 0 and smaller > 0 else 0.0


def group_lines(boxes: Sequence[Box], tolerance: float = -1.0) -> list[Line]:
    """Group areas into lines, and lines into columns and sections, in reading order.

    The page is cut recursively at empty stripes (XY cut: Nagy and Seth, 1984): into columns where a gutter runs
    through, otherwise into sections from top to bottom.

    Args:
        boxes: Areas of one page, none with zero size.
        tolerance: Largest vertical distance between the centres of areas of one line, pixels; if negative, half the
            usual height.
    """
    if not boxes:
        return []
    angle = skew(boxes)
    flat = [(_upright([box], angle), box) for box in boxes]
    height = median(upright.height for upright, _ in flat)
    reach = height / 2 if tolerance < 0 else tolerance
    blocks = _blocks(flat, height)
    return [Line(number, tuple(line)) for number, block in enumerate(blocks) for line in _rows(block, reach)]


_Flat = tuple[Box, Box]
"""An area, upright in the page's turned frame, and as it was given."""


def _blocks(areas: list[_Flat], height: float) -> list[list[_Flat]]:
    columns = _columns(areas, height)
    if len(columns) > 1:
        return [block for column in columns for block in _blocks(column, height)]
    sections = _sections(_split(areas, lambda box: (box.top, box.bottom), 0.0), height)
    if len(sections) == 1:
        return sections
    return [block for section in sections for block in _blocks(section, height)]


def _sections(bands: list[list[_Flat]], height: float) -> list[list[_Flat]]:
    """Join each longest run of bands that share a gutter, and the bands between such runs."""
    sections: list[list[_Flat]] = []
    plain: list[_Flat] = []
    first = 0
    while first < len(bands):
        after = _run(bands, first, height)
        if after == first + 1:
            plain += bands[first]
        else:
            sections += [
                section for section in (plain, [area for band in bands[first:after] for area in band]) if section
            ]
            plain = []
        first = after
    return [*sections, plain] if plain else sections


def _run(bands: list[list[_Flat]], first: int, height: float) -> int:
    """Return the end of the longest run of bands, starting at `first`, that is divided into columns."""
    if len(_parts(bands[first], height)) > 1:
        for after in range(len(bands), first + 1, -1):
            if len(_columns([area for band in bands[first:after] for area in band], height)) > 1:
                return after
    return first + 1


def _columns(areas: list[_Flat], height: float) -> list[list[_Flat]]:
    parts = _parts(areas, height)
    stacks = [
        max(box.right for box, _ in part) - min(box.left for box, _ in part) >= _COLUMN * height
        and len(_rows(part, height / 2)) > 1
        for part in parts
    ]
    return parts if all(stacks) else [areas]


def _parts(areas: list[_Flat], height: float) -> list[list[_Flat]]:
    return _split(areas, lambda box: (box.left, box.right), _GUTTER * height)


def _split(areas: list[_Flat], span: Callable[[Box], tuple[float, float]], gap: float) -> list[list[_Flat]]:
    parts: list[list[_Flat]] = []
    reached = -math.inf
    for area in sorted(areas, key=lambda area: span(area[0])):
        start, end = span(area[0])
        if not parts or start - reached > gap:
            parts.append([])
        parts[-1].append(area)
        reached = max(reached, end)
    return parts


def _rows(areas: list[_Flat], reach: float) -> list[list[Box]]:
    rows: list[list[_Flat]] = []
    for area in sorted(areas, key=lambda area: _middle(area[0])):
        if rows and _middle(area[0]) - sum(_middle(box) for box, _ in rows[-1]) / len(rows[-1]) <= reach:
            rows[-1].append(area)
        else:
            rows.append([area])
    return [[box for _, box in sorted(row, key=lambda area: area[0].left)] for row in rows]


def _middle(box: Box) -> float:
    return box.top + box.height / 2


def join_words(line: Line, link_threshold: float) -> Line:
    """Join neighbouring areas of a line that are close.

    The link between two areas is 1 if they touch and falls to 0 at a gap of three line heights.

    Args:
        line: Areas left to right.
        link_threshold: Least link, 0-1, at which two areas are joined.
    """
    angle = skew(line.boxes)
    joined: list[list[Box]] = []
    for box in line.boxes:
        if joined:
            before, here = _upright([joined[-1][-1]], angle), _upright([box], angle)
            gap = (here.left - before.right) / max(before.height, here.height)
            if 1 - max(0.0, gap) / 3 >= link_threshold:
                joined[-1].append(box)
                continue
        joined.append([box])
    return Line(line.block, tuple(boxes[0] if len(boxes) == 1 else enclosing(boxes) for boxes in joined))

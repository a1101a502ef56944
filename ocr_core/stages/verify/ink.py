"""Ink on a page: whether a word has any, and what ink belongs to no word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level
from inkstream.ocr_core.stages.preprocess.components import Components, Numbers, find_components, find_runs
from inkstream.ocr_core.text.reading_order import enclosing
from inkstream.ocr_core.text.words import branch

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels
    from inkstream.ocr_core.text.words import LayerWord

_LONGEST = 1800
"""Longer side of the reduced copy in which ink is looked for, pixels: the smallest print still shows."""
_STEP = 12
"""Least step of gray between neighbours that is an edge of ink; on grainy paper, three times the median step."""
_COVERED = 0.03
"""Share of a word's box that edges of its own ink cover at least."""
_CONTRAST = 10
"""Least difference of gray within a word's box, in the middle of it, if the word has ink."""
_MIDDLE = 0.15
"""Part of a word's box, on each side, that is not looked at: a bar over the word may end there."""
_SAME_GRAY = 20
"""Difference of gray between a word and its ground below which the word cannot be seen."""
_AROUND = 0.4
"""Distance from a word's box, in its heights, within which ink belongs to the word."""
_AROUND_OCR = 0.7
"""The same around a line of an earlier OCR."""
_LETTER = 0.4
"""In usual word heights; anything lower is dust, a dot or a line, not a letter."""
_LINE = 6.0
"""In usual word heights; a straight edge that is longer is a line or a frame, and not part of a letter."""
_LONE_LETTER = 0.8
"""In usual word heights; a lower shape without a neighbour is a bullet or a dot."""
_THIN = 4
"""Pixels of the reduced copy: both edges of a thin line."""
_STROKE = 3
"""Pixels of the reduced copy: both edges of the thinnest stroke; anything thinner is a piece of a line."""
_TALL = 1.2
"""In usual word heights; a thin shape that is longer is a line."""
_SLENDER, _VERY_TALL = 6, 3.0
"""The same for the blurred edge of a panel in a scan, and how long it is, in usual word heights."""
_STRAIGHT = 0.95
"""Share of a shape's pixels that lie in straight runs longer than a letter, if the shape is made of lines."""
_MANY = 500
"""Shapes that are surely not bullets."""
_EDGE = 2
"""Pixels from the border within which the paper's own edge may show."""


@dataclass(frozen=True, slots=True)
class InkMap:
    """The edges of the ink on a page.

    Attributes:
        pixels: The page, uint8, `H x W` or `H x W x 3`.
        gray: Its reduced copy, uint8, `h x w`.
        edges: Whether there is an edge, `h x w`.
        factor: Pixels of the page per pixel of the copy.
    """

    pixels: Pixels
    gray: Pixels
    edges: NDArray[np.bool_]
    factor: int

    @classmethod
    def of(cls, pixels: Pixels) -> InkMap:
        """Find the edges of a page's ink."""
        factor = max(1, -(-max(pixels.shape[:2]) // _LONGEST))
        gray = np.asarray(Image.fromarray(pixels).reduce(factor).convert("L"))
        steps = np.zeros(gray.shape, np.uint8)
        for one, other, into in (
            (gray[:, 1:], gray[:, :-1], steps[:, 1:]),
            (gray[1:], gray[:-1], steps[1:]),
        ):
            np.maximum(into, np.maximum(one, other) - np.minimum(one, other), out=into)
        return cls(pixels, gray, steps > max(_STEP, 3 * float(np.median(steps[::4, ::4]))), factor)

    def has_ink(self, word: LayerWord) -> bool:
        """Return whether anything can be seen where a word is."""
        height, width = self.pixels.shape[:2]
        x, y = word.word.box.center
        if not (0 <= x < width and 0 <= y < height):
            return False
        inside = _inset(word.word.box, _MIDDLE)
        if self.edges[_window(inside, self.factor)].mean() < _COVERED:
            area = self.pixels[_window(inside, 1)]
            return int(area.max()) - int(area.min()) >= _CONTRAST
        return True

    def hides(self, word: LayerWord) -> bool:
        """Return whether a word has the colour of its ground, so that the ink there is not its own."""
        if word.gray is None:
            return False
        box = word.word.box
        rows, columns = _window(_outset(box, 0.3 * min(box.width, box.height)), self.factor)
        around = self.gray[rows, columns]
        rim = np.concatenate([around[0], around[-1]])
        return abs(float(np.sort(rim)[len(rim) // 2]) - word.gray) < _SAME_GRAY

    def has_other_ink(self, words: Sequence[LayerWord]) -> bool:
        """Return whether anything that may be a letter or a picture lies outside the words."""
        if not words:
            return bool(self.edges.any())
        usual = float(np.median([min(each.word.box.width, each.word.box.height) for each in words])) / self.factor
        others = self.edges.copy()
        for box, around in _areas(words):
            others[_window(_outset(box, around * min(box.width, box.height)), self.factor)] = False
        part = _extent(others)
        if part is None:
            return False
        others[part] &= ~_in_runs(self.edges, max(8, round(_LINE * usual)), part)
        found = find_components(others[part])
        letters = _may_be_letters(found, usual, part, self.edges.shape)
        if letters.any():
            letters &= ~_are_frames(found, letters, part[1].stop - part[1].start)
            letters &= ~_are_straight(found, _in_runs(self.edges, max(8, round(_TALL * usual)), part))
        return _are_text(found, letters, usual)


def _extent(ink: NDArray[np.bool_]) -> tuple[slice, slice] | None:
    """Return the rows and columns that all ink lies in; None without ink."""
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _areas(words: Sequence[LayerWord]) -> Iterator[tuple[Box, float]]:
    """Yield the areas whose ink belongs to the words, with the distance around them, in their heights.

    The boxes of an earlier OCR are not exact: its lines count as a whole.
    """
    for is_hidden, group in groupby(words, key=lambda each: each.is_hidden and branch(each.word, Level.LINE)):
        boxes = [each.word.box for each in group]
        if is_hidden:
            yield enclosing(boxes), _AROUND_OCR
        else:
            yield from ((box, _AROUND) for box in boxes)


def erased(pixels: Pixels, boxes: Iterable[Box]) -> Pixels:
    """Return a copy of a page in which boxes are filled with the colour around them.

    Args:
        pixels: uint8, `H x W` or `H x W x 3`.
        boxes: Upright boxes, pixels.
    """
    copy = pixels.copy()
    for box in boxes:
        around = _window(_outset(box, 0.2 * min(box.width, box.height) + 1), 1)
        rim = pixels[around]
        sides = np.concatenate([rim[0], rim[-1], rim[:, 0], rim[:, -1]])
        copy[around] = np.median(sides, axis=0)
    return copy


def _window(box: Box, factor: int) -> tuple[slice, slice]:
    """Return the rows and columns of a box in a reduced page; at least one of each."""
    left, top = max(0, int(box.left // factor)), max(0, int(box.top // factor))
    right, bottom = int(-(-box.right // factor)), int(-(-box.bottom // factor))
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _inset(box: Box, share: float) -> Box:
    return _outset(box, -share * min(box.width, box.height))


def _outset(box: Box, by: float) -> Box:
    return replace(box, left=box.left - by, top=box.top - by, width=box.width + 2 * by, height=box.height + 2 * by)


def _in_runs(edges: NDArray[np.bool_], length: int, part: tuple[slice, slice]) -> NDArray[np.bool_]:
    """Return which pixels of a part are in a straight run, across or down, of at least `length` pixels.

    Args:
        edges: The page, `h x w`.
        length: At least 1.
        part: Rows and columns; runs may reach out of it.
    """
    rows, columns = part
    left, above = max(0, columns.start - length), max(0, rows.start - length)
    across = _long_runs(edges[rows, left : columns.stop + length], length)
    down = _long_runs(edges[above : rows.stop + length, columns].T, length).T
    size = columns.stop - columns.start
    return across[:, columns.start - left :][:, :size] | down[rows.start - above :][: rows.stop - rows.start]


def _long_runs(edges: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Return the pixels of all runs in a row that are at least `length` long."""
    runs = np.zeros(edges.shape, np.bool_)
    flat = runs.ravel()
    starts, lengths = find_runs(edges)
    for number in np.flatnonzero(lengths >= length):
        flat[starts[number] : starts[number] + lengths[number]] = True
    return runs


def _may_be_letters(
    found: Components, usual: float, part: tuple[slice, slice], size: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return which shapes are large enough, and neither lines nor the edge of the paper.

    Args:
        found: The shapes of a part of the page.
        usual: Height of a word, pixels.
        part: Rows and columns.
        size: Height and width of the page.
    """
    left, top = found.left + part[1].start, found.top + part[0].start
    longer, shorter = np.maximum(found.height, found.width), np.minimum(found.height, found.width)
    lines = (shorter <= _THIN) & (longer > _TALL * usual) | (shorter <= _SLENDER) & (longer > _VERY_TALL * usual)
    beside = (left <= _EDGE) | (left + found.width >= size[1] - _EDGE)
    beyond = (top <= _EDGE) | (top + found.height >= size[0] - _EDGE)
    border = (beside & (found.width < usual)) | (beyond & (found.height < usual))
    letters: NDArray[np.bool_] = (longer >= _LETTER * usual) & (shorter >= _STROKE) & ~lines & ~border
    return letters


def _are_frames(found: Components, chosen: NDArray[np.bool_], width: int) -> NDArray[np.bool_]:
    """Return which shapes lie along the sides of their own boxes: the frames of cells, small panels and check boxes.

    Args:
        found: All shapes.
        chosen: Which of them to look at.
        width: Columns of the picture that they were found in.
    """
    runs = chosen[found.label]
    label, length = found.label[runs], found.length[runs]
    row, first = np.divmod(found.start[runs], width)
    top, left = found.top[label], found.left[label]
    beside = np.minimum(row - top, top + found.height[label] - 1 - row) < _THIN
    outside = (first + length <= left + _THIN) | (first >= left + found.width[label] - _THIN)
    inner = np.bincount(label, ~(beside | outside), len(found.area))
    are_frames: NDArray[np.bool_] = chosen & (inner == 0) & (np.minimum(found.width, found.height) > 2 * _THIN)
    return are_frames


def _are_straight(found: Components, straight: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which shapes consist of straight lines: the strokes of letters have ends, and most have bends."""
    before = np.append(0, np.cumsum(straight))
    count = before[found.start + found.length] - before[found.start]
    share = np.bincount(found.label, count, len(found.area)) / found.area
    are_straight: NDArray[np.bool_] = share >= _STRAIGHT
    return are_straight


def _are_text(found: Components, letters: NDArray[np.bool_], usual: float) -> bool:
    """Return whether shapes as large as letters may be text, or a picture with text, and not only bullets."""
    longer = np.maximum(found.height, found.width)
    if (letters & (longer >= _LONE_LETTER * usual)).any() or letters.sum() > _MANY:
        return True
    return _has_neighbours(found.left[letters], found.top[letters], found.width[letters], found.height[letters], usual)


def _has_neighbours(left: Numbers, top: Numbers, width: Numbers, height: Numbers, usual: float) -> bool:
    """Return whether two shapes stand side by side, as letters do and bullets do not."""
    right, bottom = left + width, top + height
    gap = left[None, :] - right[:, None]
    shared = np.minimum(bottom[None, :], bottom[:, None]) - np.maximum(top[None, :], top[:, None])
    return bool(((gap >= 0) & (gap < usual) & (shared > 0)).any())

"""Ink on a page: whether a word has any, and what ink belongs to no word."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.stages.preprocess.components import Components, find_components

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels
    from inkstream.ocr_core.text.layer import LayerWord

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
_LETTER = 0.4
"""In usual word heights; anything lower is dust, a dot or a line, not a letter."""
_LINE = 6.0
"""In usual word heights; a straight edge that is longer is a line or a frame, and not part of a letter."""
_EDGE = 2
"""Pixels from the border within which the paper's own edge may show."""


@dataclass(frozen=True, slots=True)
class InkMap:
    """The edges of the ink on a page.

    Attributes:
        pixels: The page, uint8, `H x W` or `H x W x 3`.
        edges: Whether there is an edge, `h x w`, reduced.
        factor: Pixels of the page per pixel of `edges`.
    """

    pixels: Pixels
    edges: NDArray[np.bool_]
    factor: int

    @classmethod
    def of(cls, pixels: Pixels) -> InkMap:
        """Find the edges of a page's ink."""
        factor = max(1, -(-max(pixels.shape[:2]) // _LONGEST))
        small = np.asarray(Image.fromarray(pixels).reduce(factor)).astype(np.int16)
        gray = small if small.ndim == 2 else small.mean(axis=2).astype(np.int16)
        steps = np.zeros(gray.shape, np.int16)
        across, down = np.abs(np.diff(gray, axis=1)), np.abs(np.diff(gray, axis=0))
        np.maximum(steps[:, 1:], across, out=steps[:, 1:])
        np.maximum(steps[1:], down, out=steps[1:])
        return cls(pixels, steps > max(_STEP, 3 * float(np.median(steps))), factor)

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
        rim = self.pixels[_window(_outset(box, 0.3 * min(box.width, box.height)), 1)]
        sides = np.concatenate([side.reshape(-1) for side in (rim[0], rim[-1], rim[:, 0], rim[:, -1])])
        return abs(float(np.median(sides)) - word.gray) < _SAME_GRAY

    def has_other_ink(self, words: Sequence[LayerWord]) -> bool:
        """Return whether anything that may be a letter or a picture lies outside the words."""
        if not words:
            return bool(self.edges.any())
        usual = float(np.median([min(each.word.box.width, each.word.box.height) for each in words])) / self.factor
        edges = self.edges.copy()
        for each in words:
            box = each.word.box
            edges[_window(_outset(box, _AROUND * min(box.width, box.height)), self.factor)] = False
        length = max(8, round(_LINE * usual))
        edges &= ~(_long_runs(edges, length) | _long_runs(edges.T, length).T)
        return bool(_may_be_text(find_components(edges), usual, edges.shape).any())


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


def _long_runs(edges: NDArray[np.bool_], length: int) -> NDArray[np.bool_]:
    """Return the pixels of all stretches in a row that are at least `length` long."""
    height, width = edges.shape
    fenced = np.zeros((height, width + 2), np.int8)
    fenced[:, 1:-1] = edges
    steps = np.diff(fenced, axis=1)
    row, start = np.nonzero(steps == 1)
    end = np.nonzero(steps == -1)[1]
    chosen = end - start >= length
    marks = np.zeros((height, width + 1), np.int8)
    marks[row[chosen], start[chosen]] += 1
    marks[row[chosen], end[chosen]] -= 1
    return np.cumsum(marks, axis=1, dtype=np.int8)[:, :-1] > 0


def _may_be_text(found: Components, usual: float, size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which shapes may be letters, or pictures with text: no dust, and not the edge of the paper."""
    letters = np.maximum(found.height, found.width) >= _LETTER * usual
    beside = (found.left <= _EDGE) | (found.left + found.width >= size[1] - _EDGE)
    beyond = (found.top <= _EDGE) | (found.top + found.height >= size[0] - _EDGE)
    border = (beside & (found.width < usual)) | (beyond & (found.height < usual))
    chosen: NDArray[np.bool_] = letters & (found.height >= 2) & (found.width >= 2) & ~border
    return chosen

"""Connected components of a black-and-white picture, 8-connected.

It works on runs (stretches of ink in a row) instead of pixels; a page has some ten thousand. Touching runs of
neighbouring rows are the edges of a graph. Its components are found by hooking roots and halving paths (Shiloach and
Vishkin 1982), in a few numpy passes over all edges at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Components:
    """Every run of ink and the component it belongs to.

    Attributes:
        start: Offset of each run's first pixel in the flattened picture.
        length: Pixels in each run.
        label: Component of each run, from 0.
        area: Pixels of each component.
        width: Columns it spans.
        height: Rows it spans.
        left: Its first column.
        top: Its first row.
    """

    start: Numbers
    length: Numbers
    label: Numbers
    area: Numbers
    width: Numbers
    height: Numbers
    left: Numbers
    top: Numbers

    def pixels_of(self, chosen: NDArray[np.bool_]) -> Numbers:
        """Return the offsets, in the flattened picture, of all pixels of the chosen components."""
        runs = chosen[self.label]
        start, length = self.start[runs], self.length[runs]
        within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        pixels: Numbers = np.repeat(start, length) + within
        return pixels


def find_components(ink: NDArray[np.bool_]) -> Components:
    """Find the components of `ink`, `H x W`."""
    width = ink.shape[1]
    start, length = find_runs(ink)
    row, left = np.divmod(start, width)
    right = left + length
    label = _join(len(row), _touching(row, left, right, width + 2))
    names, label = np.unique(label, return_inverse=True)
    count = len(names)
    top, bottom = _extremes(label, count, row, row)
    first, last = _extremes(label, count, left, right)
    area = np.bincount(label, length, count).astype(np.int64)
    return Components(start, length, label, area, last - first, bottom - top + 1, first, top)


def find_runs(ink: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """Find the runs of `ink`, `H x W`, row by row.

    Returns:
        The offset of each run's first pixel in the flattened picture, and its length.
    """
    width = ink.shape[1]
    fenced = np.zeros((ink.shape[0], width + 1), np.bool_)
    fenced[:, 1:] = ink
    flat = np.append(fenced, False)
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    first, after = ends[::2], ends[1::2]
    return first - first // (width + 1), after - first


def _touching(row: Numbers, left: Numbers, right: Numbers, stride: int) -> tuple[Numbers, Numbers]:
    """Return pairs of runs that touch, also corner to corner; the second of each is one row below."""
    below = (row + 1) * stride
    first = np.searchsorted(row * stride + right, below + left, "left")
    last = np.searchsorted(row * stride + left, below + right, "right")
    count = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(row)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return upper, np.repeat(first, count) + within


def _join(count: int, edges: tuple[Numbers, Numbers]) -> Numbers:
    """Return for each node the smallest node that it is connected to."""
    root = np.arange(count)
    one, other = edges
    while len(one):
        low, high = np.minimum(root[one], root[other]), np.maximum(root[one], root[other])
        apart = low != high
        one, other = one[apart], other[apart]
        np.minimum.at(root, high[apart], low[apart])
        while not np.array_equal(root, further := root[root]):
            root = further
    return root


def _extremes(label: Numbers, count: int, low: Numbers, high: Numbers) -> tuple[Any, Any]:
    smallest, largest = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(smallest, label, low)
    np.maximum.at(largest, label, high)
    return smallest, largest

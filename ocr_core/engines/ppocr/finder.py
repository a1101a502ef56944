"""Finding the lines of a page with PP-OCR's detector."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING

from inkstream.ocr_core.engines.ppocr import ENGINE
from inkstream.ocr_core.engines.ppocr.dbnet import detect
from inkstream.ocr_core.page import Level, Region
from inkstream.ocr_core.text.reading_order import Line, enclosing, group_lines, join_words, merge_intersecting

if TYPE_CHECKING:
    from inkstream.ocr_core.geometry import Box
    from inkstream.ocr_core.options.recognize import DetectOptions
    from inkstream.ocr_core.pixels import Pixels

_SMALL = 1 / 3
"""Share of the usual height; lower areas are specks."""


def find_lines(pixels: Pixels, options: DetectOptions) -> tuple[Region, ...]:
    """Return the lines of a page.

    Args:
        pixels: uint8, `H x W` or `H x W x 3`.
        options: Thresholds, and which areas to join.

    Returns:
        Blocks, paragraphs and lines in reading order, parents before children, without text. If a line has several
        areas, they are its children.

    Raises:
        EnvironmentFault: If the model is missing.
    """
    boxes = [area.box for area in detect(pixels, options)]
    if options.merge_intersects:
        boxes = merge_intersecting(boxes)
    if boxes:
        least = _SMALL * median(box.height for box in boxes) if options.size_threshold < 0 else options.size_threshold
        boxes = [box for box in boxes if box.height >= least]
    lines = group_lines(boxes, options.line_tolerance)
    if options.with_refiner:
        lines = [join_words(line, options.link_threshold) for line in lines]
    return _tree_of(lines)


def _tree_of(lines: list[Line]) -> tuple[Region, ...]:
    """Build the tree: blocks of one paragraph each, their lines, and the areas of lines that have several."""
    regions: list[Region] = []

    def add(parent: int | None, level: Level, boxes: Sequence[Box]) -> int:
        regions.append(Region(len(regions), parent, level, enclosing(boxes), None, None, ENGINE))
        return regions[-1].index

    for _, block in groupby(lines, key=lambda line: line.block):
        members = list(block)
        around = [box for line in members for box in line.boxes]
        paragraph = add(add(None, Level.BLOCK, around), Level.PARAGRAPH, around)
        for line in members:
            index = add(paragraph, Level.LINE, line.boxes)
            if len(line.boxes) > 1:
                for box in line.boxes:
                    add(index, Level.WORD, [box])
    return tuple(regions)

"""Finding regions: by Tesseract's layout analysis, or by a network that finds text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING

from inkstream.ocr_core.engines.ppocr import ENGINE as PPOCR
from inkstream.ocr_core.engines.tesseract.engine import ENGINE, open_engine, told_resolution
from inkstream.ocr_core.engines.tesseract.tsv import Row
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.options import DetectOptions, RecognizeOptions
from inkstream.ocr_core.page import Level, Region
from inkstream.ocr_core.stages.stage import WorkingPage
from inkstream.ocr_core.text.reading_order import Line, enclosing, group_lines, join_words, merge_intersecting
from inkstream.ocr_core.text.words import LEVELS

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

_SMALL = 1 / 3
"""Of the usual height; lower areas are specks."""


@dataclass(frozen=True)
class Detect:
    """Finds text areas down to one level, in reading order, parents before children."""

    options: DetectOptions
    recognize: RecognizeOptions
    name: str = "detect"
    needs: frozenset[str] = frozenset({"pixels"})
    provides: frozenset[str] = frozenset({"regions"})

    def run(self, page: WorkingPage) -> None:
        """Sets `regions`, which have no text yet."""
        if page.text is not None or page.pixels is None:
            return
        if self.options.engine == PPOCR:
            page.regions = detect_lines(page.pixels, self.options)
            return
        rows = open_engine(self.recognize).layout(
            page.pixels,
            told_resolution(self.recognize, page.engine_resolution),
            self.options.page_seg_mode,
            self.options.level,
            self.recognize.time_limit,
        )
        page.regions = _to_regions(rows)


def _to_regions(rows: list[Row]) -> tuple[Region, ...]:
    regions: list[Region] = []
    last: dict[int, int] = {}
    for row in rows:
        parent = last.get(row.level - 1)
        last[row.level] = len(regions)
        level = LEVELS[row.level - 2]
        regions.append(Region(len(regions), parent, level, row.box, None, None, ENGINE))
    return tuple(regions)


def detect_lines(pixels: Pixels, options: DetectOptions) -> tuple[Region, ...]:
    """Finds lines with PP-OCR's detector.

    Args:
        pixels: uint8, `H x W` or `H x W x 3`.
        options: Thresholds, and what is joined.

    Returns:
        Blocks, paragraphs and lines in reading order, parents before children; the areas of a line that has several
        as its children. Nothing has text yet.
    """
    from inkstream.ocr_core.engines.ppocr.dbnet import detect

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
    """Hangs lines on blocks of one paragraph each; a line's areas on the line, where there are several."""
    regions: list[Region] = []

    def add(parent: int | None, level: Level, boxes: Sequence[Box]) -> int:
        regions.append(Region(len(regions), parent, level, enclosing(boxes), None, None, PPOCR))
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

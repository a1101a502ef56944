"""Reading detected lines with an engine that reads single lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from inkstream.ocr_core.engines.line_reader import LineReader, Reading
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.options import LineOptions, RecognizeOptions
from inkstream.ocr_core.page import Level, Region
from inkstream.ocr_core.pixels import cut, part
from inkstream.ocr_core.stages.line_stage import Asked, LineStage
from inkstream.ocr_core.stages.page_text import set_text
from inkstream.ocr_core.stages.stage import WorkingPage
from inkstream.ocr_core.text.words import Word

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

_BORDER = 1 / 20
_SPACE = 1 / 3


@dataclass(frozen=True, slots=True)
class CropPiece:
    """A part of a crop and its position on the page.

    Attributes:
        start: Left end in the crop, 0-1.
        end: Right end in the crop, 0-1.
        box: Position, pixels of the page.
    """

    start: float
    end: float
    box: Box


@dataclass(frozen=True, slots=True)
class LinePlace:
    """The position of a crop on the page.

    Attributes:
        block: Number of its block.
        line: Number of its line in the page.
        pieces: Left to right, at least one.
    """

    block: int
    line: int
    pieces: tuple[CropPiece, ...]

    def locate(self, start: float, end: float) -> Box:
        """Return the box on the page of a stretch of the crop (0-1), within the piece that holds its middle."""
        middle = (start + end) / 2
        piece = min(self.pieces, key=lambda piece: max(piece.start - middle, middle - piece.end))
        width = piece.end - piece.start
        inside = [min(max((place - piece.start) / width, 0.0), 1.0) for place in (start, end)]
        return part(piece.box, *inside)


@dataclass(frozen=True, slots=True)
class LineCrop:
    """A line, or one area of it, cut out of the page.

    Attributes:
        place: Its position on the page.
        pixels: The upright picture for the engine.
    """

    place: LinePlace
    pixels: Pixels


Places = tuple[LinePlace, ...]


@dataclass(frozen=True, slots=True)
class LinesAsked:
    """What `ReadLines` needs to continue: the position of each crop."""

    places: Places


@dataclass(frozen=True)
class ReadLines(LineStage[LinesAsked]):
    """A stage that reads each detected line separately. The engine opens on the first page with a line."""

    options: RecognizeOptions
    open_reader: Callable[[], LineReader]
    name: str = "recognize"
    needs: frozenset[str] = frozenset({"pixels", "regions"})
    provides: frozenset[str] = frozenset({"text", "regions"})
    state_type: ClassVar[type[Any]] = LinesAsked

    def ask(self, page: WorkingPage) -> Asked[LinesAsked] | None:
        """Cut the detected lines out."""
        if page.text is not None or page.pixels is None:
            return None
        crops = cut_lines(page.pixels, page.regions, self.options.lines)
        return Asked([crop.pixels for crop in crops], LinesAsked(tuple(crop.place for crop in crops)))

    def take(self, page: WorkingPage, state: LinesAsked, readings: Sequence[Reading]) -> None:
        """Set `text`, `confidence` and `engine`, and replace the detected regions with recognised ones."""
        set_text(page, words_on_page(state.places, readings), self.options.engine, self.options)


def cut_lines(pixels: Pixels, regions: Sequence[Region], options: LineOptions) -> list[LineCrop]:
    """Cut the lines out of a page, in reading order.

    Args:
        pixels: The page, uint8, `H x W` or `H x W x 3`.
        regions: Detected regions, parents before children; the finest are lines or areas of lines.
        options: Borders, and whether the areas of a line form one crop.
    """
    lines = [region for region in regions if region.level is Level.LINE]
    return [
        crop_line(pixels, areas, options, _block_of(line, regions), line.index)
        for line in lines
        for areas in _areas(line, regions, options)
    ]


def line_areas(regions: Sequence[Region], options: LineOptions) -> list[list[Box]]:
    """Return the groups of areas that are each read as one picture, in reading order."""
    return [areas for line in regions if line.level is Level.LINE for areas in _areas(line, regions, options)]


def _areas(line: Region, regions: Sequence[Region], options: LineOptions) -> list[list[Box]]:
    areas = [child.box for child in regions if child.parent == line.index] or [line.box]
    return [areas] if options.group_images else [[area] for area in areas]


def _block_of(region: Region, regions: Sequence[Region]) -> int:
    while region.parent is not None:
        region = regions[region.parent]
    return region.index


def crop_line(pixels: Pixels, areas: list[Box], options: LineOptions, block: int = 0, line: int = 0) -> LineCrop:
    """Cut areas out of a page and put them side by side.

    Args:
        pixels: The page, uint8, `H x W` or `H x W x 3`.
        areas: Left to right, at least one.
        options: Borders and spaces.
        block: Block number for the words that will be read.
        line: Their line number.
    """
    boxes = [_bordered(area, options.border_width) for area in areas]
    cuts = [cut(pixels, box) for box in boxes]
    height = max(picture.shape[0] for picture in cuts)
    space = round(height * _SPACE if options.space_width < 0 else options.space_width)
    width = sum(picture.shape[1] for picture in cuts) + space * (len(cuts) - 1)
    canvas = np.empty((height, width, *pixels.shape[2:]), np.uint8)
    canvas[...] = np.median(np.concatenate([np.concatenate([c[0], c[-1]]) for c in cuts]), axis=0)
    pieces, left = [], 0
    for picture, box in zip(cuts, boxes, strict=True):
        down, across = picture.shape[:2]
        top = (height - down) // 2
        canvas[top : top + down, left : left + across] = picture
        pieces.append(CropPiece(left / width, (left + across) / width, box))
        left += across + space
    return LineCrop(LinePlace(block, line, tuple(pieces)), canvas)


def _bordered(box: Box, border: float) -> Box:
    margin = box.height * _BORDER if border < 0 else border
    return Box(box.left - margin, box.top - margin, box.width + 2 * margin, box.height + 2 * margin, box.angle)


def words_on_page(places: Sequence[LinePlace], readings: Sequence[Reading]) -> list[Word]:
    """Return the words of all crops, with their positions on the page."""
    return [
        Word(place.block, 0, place.line, place.locate(word.start, word.end), word.text, word.confidence)
        for place, reading in zip(places, readings, strict=True)
        for word in reading.words
    ]

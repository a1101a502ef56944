"""Pixels to text with Tesseract: the whole page, or each detected region by itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from inkstream.ocr_core.engines.tesseract.engine import ENGINE, TesseractEngine, open_engine, timed_out, told_resolution
from inkstream.ocr_core.engines.tesseract.tsv import words_of
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.options import RecognizeOptions
from inkstream.ocr_core.page import Level, Region
from inkstream.ocr_core.stages.stage import WorkingPage
from inkstream.ocr_core.text.layout import compose_page
from inkstream.ocr_core.text.words import LEVELS, Word

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

_MARGIN = 10
"""Pixels of the background's colour put around a region: Tesseract misreads letters that touch an edge."""


@dataclass(frozen=True)
class Recognize:
    """Reads the page's pixels."""

    options: RecognizeOptions
    name: str = "recognize"
    provides: frozenset[str] = frozenset({"text", "regions"})

    @property
    def needs(self) -> frozenset[str]:
        """Pixels; and regions when each is read by itself."""
        return frozenset({"pixels", "regions"} if self.options.per_region else {"pixels"})

    def run(self, page: WorkingPage) -> None:
        """Sets `text`, `confidence`, `engine`, and puts the recognised regions in place of detected ones."""
        if page.text is not None or page.pixels is None:
            return
        words = self.words(page)
        made = compose_page(words, ENGINE, self.options, page.pixels_resolution)
        page.text, page.confidence, page.regions = made.text, made.confidence, made.regions
        page.engine = ENGINE

    def words(self, page: WorkingPage) -> list[Word]:
        """Returns the words of a page that has pixels, in their coordinates, in reading order.

        Raises:
            DocumentError: `timeout`.
        """
        assert page.pixels is not None
        reader = _Reader(open_engine(self.options), self.options, told_resolution(self.options, page.engine_resolution))
        if self.options.per_region:
            return _read_regions(reader, page.pixels, page.regions)
        return reader.read(page.pixels)


class _Reader:
    """Reads pictures of one page until the page's time is over."""

    def __init__(self, engine: TesseractEngine, options: RecognizeOptions, resolution: int) -> None:
        self._engine = engine
        self._options = options
        self._resolution = resolution
        self._deadline = time.monotonic() + options.time_limit

    def read(self, pixels: Pixels, left: float = 0, top: float = 0) -> list[Word]:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise timed_out(self._options.time_limit)
        try:
            rows = self._engine.read(pixels, self._resolution, self._options.page_seg_mode, remaining)
        except DocumentError as error:
            if error.kind is FailureKind.TIMEOUT:
                raise timed_out(self._options.time_limit) from error
            raise
        return words_of(rows, left, top)


def _read_regions(reader: _Reader, pixels: Pixels, regions: tuple[Region, ...]) -> list[Word]:
    """Reads the finest regions one by one and hangs their words on the tree that was detected."""
    parents = {region.parent for region in regions}
    words: list[Word] = []
    for region in regions:
        if region.index in parents:
            continue
        crop, left, top = _crop(pixels, region)
        if crop.size:
            words += _hang(reader.read(crop, left, top), region, regions)
    return words


def _crop(pixels: Pixels, region: Region) -> tuple[Pixels, float, float]:
    """Cuts a region out, with a margin around; a rectangle set on the whole page would be read wrong.

    (Where such a rectangle is as wide as the page, libtesseract takes its lines from the wrong height.)
    """
    height, width = pixels.shape[:2]
    left, top = max(0, int(region.box.left)), max(0, int(region.box.top))
    right, bottom = min(width, round(region.box.right)), min(height, round(region.box.bottom))
    crop = pixels[top:bottom, left:right]
    if not crop.size:
        return crop, left, top
    rim = np.concatenate([crop[0], crop[-1], crop[:, 0], crop[:, -1]])
    framed = np.empty((crop.shape[0] + 2 * _MARGIN, crop.shape[1] + 2 * _MARGIN, *crop.shape[2:]), np.uint8)
    framed[...] = np.median(rim, axis=0)
    framed[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN] = crop
    return framed, left - _MARGIN, top - _MARGIN


def _hang(words: list[Word], region: Region, regions: tuple[Region, ...]) -> list[Word]:
    """Numbers words so that everything down to the region's level is one element."""
    numbers = _branch(region, regions)
    depth = LEVELS.index(region.level)
    if region.level is Level.BLOCK:
        return [replace(word, block=numbers[0], paragraph=word.block * 10_000 + word.paragraph) for word in words]
    if region.level is Level.PARAGRAPH:
        order = {key: i for i, key in enumerate(dict.fromkeys((w.block, w.paragraph, w.line) for w in words))}
        return [
            replace(w, block=numbers[0], paragraph=numbers[1], line=order[w.block, w.paragraph, w.line]) for w in words
        ]
    block, paragraph, line = (*numbers, 0, 0)[:3] if depth < 3 else numbers[:3]
    return [replace(word, block=block, paragraph=paragraph, line=line) for word in words]


def _branch(region: Region, regions: tuple[Region, ...]) -> tuple[int, ...]:
    """Returns the indices from the region's block down to the region."""
    chain = [region.index]
    while region.parent is not None:
        region = regions[region.parent]
        chain.append(region.index)
    return tuple(reversed(chain))

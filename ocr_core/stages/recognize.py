"""Reading with an engine that reads pages: the whole page, or each detected region separately."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from inkstream.ocr_core.engines.entry import PageEngine
from inkstream.ocr_core.engines.page_reader import PageReader, TimeLimit
from inkstream.ocr_core.engines.registry import open_page_reader
from inkstream.ocr_core.errors import DocumentError
from inkstream.ocr_core.options import RecognizeOptions
from inkstream.ocr_core.page import Level, Region
from inkstream.ocr_core.stages.page_text import set_text
from inkstream.ocr_core.stages.stage import WorkingPage
from inkstream.ocr_core.text.words import LEVELS, Word

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

_MARGIN = 10
"""Margin in the background's colour around a region, pixels: Tesseract misreads letters that touch an edge."""


@dataclass(frozen=True)
class Recognize:
    """A stage that reads the page's pixels."""

    options: RecognizeOptions
    engine: PageEngine[Any]
    name: str = "recognize"
    provides: frozenset[str] = frozenset({"text", "regions"})

    @property
    def needs(self) -> frozenset[str]:
        """Pixels, and regions if each is read separately."""
        return frozenset({"pixels", "regions"} if self.options.per_region else {"pixels"})

    def run(self, page: WorkingPage) -> None:
        """Set `text`, `confidence` and `engine`, and replace the detected regions with recognised ones."""
        if page.text is not None or page.pixels is None:
            return
        set_text(page, self.words(page), self.engine.name, self.options)

    def words(self, page: WorkingPage) -> list[Word]:
        """Return the words of a page that has pixels, in reading order and in coordinates of `pixels`.

        A page with a text layer keeps it if the rest cannot be read; then its notes say so.

        Raises:
            DocumentError: `timeout`.
        """
        try:
            return self._words(page)
        except DocumentError as error:
            if not page.layer:
                raise
            page.notes = (*page.notes, f"the text layer is all that was read: {error.message}")
            return []

    def _words(self, page: WorkingPage) -> list[Word]:
        assert page.pixels is not None
        reader, resolution = open_page_reader(self.engine, self.options), page.engine_resolution
        limit = TimeLimit.from_now(self.options.time_limit)
        if self.options.per_region:
            return _read_regions(reader, page, resolution, limit)
        return reader.read(page.pixels, resolution, limit)


def _read_regions(reader: PageReader, page: WorkingPage, resolution: int, limit: TimeLimit) -> list[Word]:
    """Read the finest regions one by one, and add their words to the detected tree."""
    assert page.pixels is not None
    parents = {region.parent for region in page.regions}
    words: list[Word] = []
    for region in page.regions:
        if region.index in parents:
            continue
        crop, left, top = _crop(page.pixels, region)
        if crop.size:
            found = [_moved(word, left, top) for word in reader.read(crop, resolution, limit)]
            words += _number_words(found, region, page.regions)
    return words


def _moved(word: Word, left: float, top: float) -> Word:
    return replace(word, box=replace(word.box, left=word.box.left + left, top=word.box.top + top))


def _crop(pixels: Pixels, region: Region) -> tuple[Pixels, float, float]:
    """Cut a region out, with a margin.

    Tesseract's SetRectangle is not used: if the rectangle is as wide as the page, libtesseract takes its lines from
    the wrong height.
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


def _number_words(words: list[Word], region: Region, regions: tuple[Region, ...]) -> list[Word]:
    """Return the words with numbers that put them all into one element at the region's level."""
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
    """Return the indices from the region's block down to the region."""
    chain = [region.index]
    while region.parent is not None:
        region = regions[region.parent]
        chain.append(region.index)
    return tuple(reversed(chain))

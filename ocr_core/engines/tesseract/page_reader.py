"""Reading pages and finding regions with Tesseract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkstream.ocr_core.engines.tesseract.engine import ENGINE, open_engine, timed_out, told_resolution
from inkstream.ocr_core.engines.tesseract.tsv import Row, words_of_rows
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.page import Region
from inkstream.ocr_core.text.words import LEVELS

if TYPE_CHECKING:
    from inkstream.ocr_core.engines.page_reader import TimeLimit
    from inkstream.ocr_core.options.recognize import DetectOptions, RecognizeOptions
    from inkstream.ocr_core.pixels import Pixels
    from inkstream.ocr_core.text.words import Word


class TesseractReader:
    """A page reader; see `PageReader`.

    Args:
        options: Languages, models and page segmentation.

    Raises:
        EnvironmentFault: If the binding, the program or the language data is missing.
        ConfigError: If Tesseract does not know a variable.
    """

    def __init__(self, options: RecognizeOptions) -> None:
        self._options = options
        self._engine = open_engine(options)

    def read(self, pixels: Pixels, resolution: int, limit: TimeLimit) -> list[Word]:
        """Read a picture; see `PageReader.read`."""
        options, remaining = self._options, limit.remaining
        if remaining <= 0:
            raise timed_out(limit.seconds)
        try:
            rows = self._engine.read(pixels, told_resolution(options, resolution), options.page_seg_mode, remaining)
        except DocumentError as error:
            if error.kind is FailureKind.TIMEOUT:
                raise timed_out(limit.seconds) from error
            raise
        return words_of_rows(rows)


def find_regions(
    pixels: Pixels, resolution: int, detect: DetectOptions, options: RecognizeOptions
) -> tuple[Region, ...]:
    """Return the areas, down to `detect.level`, that Tesseract's layout analysis finds; see `RegionFinder.find`."""
    told = told_resolution(options, resolution)
    rows = open_engine(options).layout(pixels, told, detect.page_seg_mode, detect.level, options.time_limit)
    return _to_regions(rows)


def _to_regions(rows: list[Row]) -> tuple[Region, ...]:
    regions: list[Region] = []
    last: dict[int, int] = {}
    for row in rows:
        parent = last.get(row.level - 1)
        last[row.level] = len(regions)
        level = LEVELS[row.level - 2]
        regions.append(Region(len(regions), parent, level, row.box, None, None, ENGINE))
    return tuple(regions)

"""Finding regions by Tesseract's layout analysis."""

from __future__ import annotations

from dataclasses import dataclass

from ocr_core.engines.tesseract import ENGINE, open_engine, told_resolution
from ocr_core.engines.tsv import Row
from ocr_core.layout import LEVELS
from ocr_core.options import DetectOptions, RecognizeOptions
from ocr_core.page import Region
from ocr_core.pipeline import WorkingPage


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
        rows = open_engine(self.recognize).layout(
            page.pixels,
            told_resolution(self.recognize, page.pixels_resolution),
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

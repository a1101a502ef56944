"""Finding the text areas of a page before they are read."""

from __future__ import annotations

from dataclasses import dataclass

from inkstream.ocr_core.engines.registry import finder_named
from inkstream.ocr_core.options import DetectOptions, RecognizeOptions
from inkstream.ocr_core.stages.stage import WorkingPage


@dataclass(frozen=True)
class Detect:
    """A stage that finds text areas down to one level, in reading order, parents before children."""

    options: DetectOptions
    recognize: RecognizeOptions
    name: str = "detect"
    needs: frozenset[str] = frozenset({"pixels"})
    provides: frozenset[str] = frozenset({"regions"})

    def run(self, page: WorkingPage) -> None:
        """Set `regions`, without text."""
        if page.text is None and page.pixels is not None:
            find = finder_named(self.options.engine).find
            page.regions = find(page.pixels, page.engine_resolution, self.options, self.recognize)

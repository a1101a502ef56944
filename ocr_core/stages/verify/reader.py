"""Reading a sample of lines with the engine that reads pages, or with the one that reads lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from inkstream.ocr_core.engines.entry import LineEngine, PageEngine
from inkstream.ocr_core.engines.page_reader import TimeLimit
from inkstream.ocr_core.engines.registry import Routed, open_line_reader, open_page_reader, reading_of
from inkstream.ocr_core.stages.verify.sample import stacked

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RecognizeOptions
    from inkstream.ocr_core.pixels import Pixels

SampleReader = Callable[[Sequence["Pixels"], int], list[tuple[str, float]]]
"""Reads upright pictures of lines of a resolution in dpi; returns a text and a confidence (0-100) for each."""


def sample_reader(options: RecognizeOptions) -> SampleReader | None:
    """Return the reader of samples for a pipeline; None if its engine cannot tell whether a text layer is right.

    It cannot if it reads only some characters, or runs in another process than the pages.
    """
    if options.char_whitelist or options.char_blacklist:
        return None
    match reading_of(options):
        case PageEngine() as engine:
            return _by_page(engine, options)
        case Routed(first=first):
            return _by_page(first, options)
        case LineEngine(own_process=True):
            return None
        case LineEngine():
            return _by_line(options)


def _by_page(engine: PageEngine[Any], options: RecognizeOptions) -> SampleReader:
    def read(cuts: Sequence[Pixels], resolution: int) -> list[tuple[str, float]]:
        picture, places = stacked(cuts)
        words = open_page_reader(engine, options).read(picture, resolution, TimeLimit.from_now(options.time_limit))
        texts = []
        for first, last in places:
            found = [word for word in words if first <= word.box.center[1] <= last]
            found.sort(key=lambda word: word.box.left)
            sure = sum(word.confidence for word in found) / len(found) if found else 0.0
            texts.append((" ".join(word.text for word in found), sure))
        return texts

    return read


def _by_line(options: RecognizeOptions) -> SampleReader:
    def read(cuts: Sequence[Pixels], _resolution: int) -> list[tuple[str, float]]:
        readings = open_line_reader(options).read(cuts)
        return [(reading.text, reading.confidence or 0.0) for reading in readings]

    return read

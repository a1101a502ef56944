"""Makes page results by hand, for tests of the formats written from them."""

from __future__ import annotations

from collections.abc import Sequence

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level, PageResult, Region

Line = tuple[float, float, Sequence[str]]
"""Left, top, words."""

GLYPH = 30
HEIGHT = 50


def page_of(lines: Sequence[Line], *, size: tuple[int, int] = (1000, 1000), angle: float = 0.0) -> PageResult:
    """Return a page of one paragraph: characters `GLYPH` wide, words `HEIGHT` high, boxes turned by `angle`."""
    whole = Box(0, 0, *size)
    regions = [region(0, None, Level.BLOCK, whole), region(1, 0, Level.PARAGRAPH, whole)]
    for left, top, words in lines:
        line = len(regions)
        width = sum(GLYPH * (len(word) + 1) for word in words) - GLYPH
        regions.append(region(line, 1, Level.LINE, Box(left, top, width, HEIGHT, angle)))
        x = left
        for word in words:
            box = Box(x, top, GLYPH * len(word), HEIGHT, angle)
            regions.append(region(len(regions), line, Level.WORD, box, word))
            x += GLYPH * (len(word) + 1)
    text = "\n".join(" ".join(words) for _, _, words in lines)
    return PageResult(
        0, 1, text=text, confidence=90.0, regions=tuple(regions), width=size[0], height=size[1], resolution=100
    )


def region(index: int, parent: int | None, level: Level, box: Box, text: str | None = None) -> Region:
    """Return a region; one without `text` was only detected."""
    return Region(index, parent, level, box, text, None if text is None else 90.0, "tesseract")

"""The lines that PP-OCR's detector finds form a tree in reading order."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from inkstream import Level
from inkstream.ocr_core.engines.ppocr.finder import find_lines
from inkstream.ocr_core.options import DetectOptions

LINES = ["The first line of it", "and a second line below", "Another paragraph ends it"]
TOPS = [60, 130, 420]


def page() -> np.ndarray:
    image = Image.new("L", (900, 600), 250)
    for top, line in zip(TOPS, LINES, strict=True):
        ImageDraw.Draw(image).text((60, top), line, font=ImageFont.load_default(size=40), fill=10)
    return np.asarray(image)


def test_lines_form_a_tree_from_top_to_bottom() -> None:
    regions = find_lines(page(), DetectOptions(engine="ppocr", link_threshold=0.3))
    assert [region.index for region in regions] == list(range(len(regions)))
    assert all(region.parent is None or region.parent < region.index for region in regions)
    assert {region.engine for region in regions} == {"ppocr"}
    assert all(region.text is None and region.confidence is None for region in regions)
    lines = [region for region in regions if region.level is Level.LINE]
    assert len(lines) == len(LINES)
    for line, top in zip(lines, TOPS, strict=True):
        assert abs(line.box.top + line.box.height / 2 - (top + 25)) < 20
        assert line.parent is not None
        assert regions[line.parent].level is Level.PARAGRAPH


def test_no_lines_are_found_below_size_threshold_or_on_a_blank_page() -> None:
    assert find_lines(page(), DetectOptions(engine="ppocr", size_threshold=500)) == ()
    assert find_lines(np.full((200, 200), 255, np.uint8), DetectOptions(engine="ppocr")) == ()

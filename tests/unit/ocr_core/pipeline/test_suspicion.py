"""Results that are probably wrong get a note."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inkstream.ocr_core.pipeline.suspicion import EMPTY, LOW, UNSURE, suspicions
from inkstream.ocr_core.stages.stage import WorkingPage

BLANK = np.full((220, 170), 255, np.uint8)


def scribbles() -> np.ndarray:
    image = Image.new("L", (1700, 2200), 255)
    for row in range(8):
        places = [(150 + 3 * step, 300 + 200 * row + 40 * np.sin(step / 3)) for step in range(200)]
        ImageDraw.Draw(image).line(places, fill=30, width=4)
    return np.asarray(image)


def page(text: str, confidence: float | None, pixels: np.ndarray | None) -> WorkingPage:
    return WorkingPage(None, rendered=pixels, text=text, confidence=confidence)


def test_a_page_with_ink_and_no_word_gets_a_note() -> None:
    assert suspicions(page(" ", None, scribbles()), has_lines=False) == (EMPTY,)
    assert suspicions(page("", None, BLANK), has_lines=False) == ()


def test_lines_without_a_word_are_ink_where_the_pixels_are_gone() -> None:
    assert suspicions(page("", None, None), has_lines=True) == (EMPTY,)
    assert suspicions(page("", None, None), has_lines=False) == ()


@pytest.mark.parametrize(("confidence", "notes"), [(LOW - 1, (UNSURE,)), (LOW, ()), (None, ())])
def test_a_very_low_confidence_gets_a_note(confidence: float | None, notes: tuple[str, ...]) -> None:
    assert suspicions(page("some text", confidence, BLANK), has_lines=False) == notes

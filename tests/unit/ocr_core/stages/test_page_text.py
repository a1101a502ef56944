from __future__ import annotations

from dataclasses import replace

from inkstream.ocr_core.options import RecognizeOptions
from inkstream.ocr_core.stages.page_text import set_text
from inkstream.ocr_core.stages.stage import WorkingPage
from tests.unit.ocr_core.text.test_merging import line

LAYER = [replace(word, engine="text_layer") for word in line("a page that is mostly text layer", 0, 0)]
STAIN = [replace(word, confidence=20.0) for word in line("ee", 0, 200)]


def page_with(layer: bool) -> WorkingPage:
    return WorkingPage(None, 1000, 1000, 300, layer=tuple(LAYER) if layer else ())


def test_noise_is_not_added_to_a_page_that_is_mostly_text_layer() -> None:
    page = page_with(layer=True)
    set_text(page, [*STAIN, *line("Budget", 0, 400, number=1)], "tesseract", RecognizeOptions())
    assert page.text == "a page that is mostly text layer\n\nBudget"
    assert page.engine == "tesseract+text_layer"


def test_a_page_without_a_layer_keeps_all_that_was_read() -> None:
    page = page_with(layer=False)
    set_text(page, STAIN, "tesseract", RecognizeOptions())
    assert (page.text, page.engine) == ("ee", "tesseract")


def test_a_page_that_is_mostly_read_keeps_all_that_was_read() -> None:
    page = WorkingPage(None, 1000, 1000, 300, layer=tuple(LAYER[:1]))
    set_text(page, [*STAIN, *line("Forty boxes", 0, 400, number=1)], "tesseract", RecognizeOptions())
    assert page.text is not None
    assert "ee" in page.text

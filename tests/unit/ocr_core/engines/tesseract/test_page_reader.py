"""Tesseract as a page reader: words in the picture's pixels, regions, and the page's time limit."""

from __future__ import annotations

import time

import numpy as np
import pytest

from inkstream import DocumentError, FailureKind, Level
from inkstream.ocr_core.engines.page_reader import TimeLimit
from inkstream.ocr_core.engines.tesseract.page_reader import TesseractReader, find_regions
from inkstream.ocr_core.options import DetectOptions, RecognizeOptions
from tests.generators import text_image

BINDINGS = ["tesserocr", "pytesseract"]
PIXELS = np.asarray(text_image("First line\nSecond line", size=(800, 300)).convert("L"))


@pytest.mark.parametrize("binding", BINDINGS)
def test_words_are_read_in_order_with_their_boxes(binding: str) -> None:
    words = TesseractReader(RecognizeOptions(binding=binding)).read(PIXELS, 300, TimeLimit.from_now(60))
    assert [word.text for word in words] == ["First", "line", "Second", "line"]
    first, beside, below, _ = (word.box for word in words)
    assert first.right < beside.left
    assert first.bottom <= below.top + 5
    assert all(0 <= word.confidence <= 100 for word in words)


@pytest.mark.parametrize("binding", BINDINGS)
def test_detection_alone_returns_regions_without_text(binding: str) -> None:
    regions = find_regions(PIXELS, 300, DetectOptions(level=Level.LINE), RecognizeOptions(binding=binding))
    assert [region.level for region in regions].count(Level.LINE) == 2
    assert {region.text for region in regions} == {None}
    assert all(region.parent is None or regions[region.parent].index < region.index for region in regions)


@pytest.mark.parametrize("ends", [-1.0, 0.005])
def test_a_timeout_names_the_whole_time_limit(ends: float) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (1500, 1500), np.uint8)
    with pytest.raises(DocumentError, match=r"within 42 s \(recognize.time_limit\)") as caught:
        TesseractReader(RecognizeOptions()).read(noise, 300, TimeLimit(42, time.monotonic() + ends))
    assert caught.value.kind is FailureKind.TIMEOUT

from __future__ import annotations

import numpy as np
import pytest

from inkstream.ocr_core.options import RecognizeOptions
from inkstream.ocr_core.stages.verify.reader import sample_reader
from tests.generators import text_image

CUTS = [np.asarray(text_image(text, size=(900, 120), font_size=40)) for text in ("Forty boxes", "Postage 1,310")]


@pytest.mark.parametrize("engine", ["tesseract", "auto", "ppocr"])
def test_each_line_is_read_by_itself(engine: str) -> None:
    if engine != "tesseract":
        pytest.importorskip("rapidocr")
    read = sample_reader(RecognizeOptions(engine=engine))
    assert read is not None
    readings = read(CUTS, 300)
    assert [text.casefold() for text, _ in readings] == ["forty boxes", "postage 1,310"]
    assert all(confidence > 80 for _, confidence in readings)


@pytest.mark.parametrize("options", [{"engine": "trocr"}, {"char_whitelist": "0123456789"}, {"char_blacklist": "a"}])
def test_an_engine_that_cannot_tell_reads_no_sample(options: dict[str, str]) -> None:
    assert sample_reader(RecognizeOptions.model_validate(options)) is None

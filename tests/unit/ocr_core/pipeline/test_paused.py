from __future__ import annotations

from pathlib import Path

import pytest

from inkstream import PipelineOptions
from inkstream.ocr_core.documents.opening import open_document
from inkstream.ocr_core.engines.registry import open_line_reader
from inkstream.ocr_core.options import RecognizeOptions
from inkstream.ocr_core.pipeline.build import build_pipeline
from inkstream.ocr_core.pipeline.paused import PausedPage, begin, finish
from tests.layered import WHOLE_PAGE, layered_pdf, lines, picture_of

pytest.importorskip("rapidocr")
OPTIONS = PipelineOptions(recognize=RecognizeOptions(engine="ppocr"))


@pytest.fixture
def half_read(tmp_path: Path) -> Path:
    """Return a page with a text layer, and a picture of one more line."""
    content = WHOLE_PAGE + lines("Forty boxes of cartridge paper", "Delivered on 14 March 2026")
    return layered_pdf(tmp_path / "a.pdf", content, picture=picture_of("", "", "", "Postage 1,310"))


def test_a_text_layer_is_merged_after_the_pause(half_read: Path) -> None:
    pipeline = build_pipeline(OPTIONS)
    with open_document(half_read) as document:
        whole = pipeline.run(document, 0)
        paused = begin(pipeline, document, 0)
        assert isinstance(paused, PausedPage)
        readings = open_line_reader(OPTIONS.recognize).read(paused.crops)
        finished = finish(pipeline, paused.state, readings, 0, lambda: document)
    assert whole.engine == "ppocr+text_layer"
    assert (finished.text, finished.engine, finished.notes) == (whole.text, whole.engine, whole.notes)
    assert [region.box for region in finished.regions] == [region.box for region in whole.regions]


def test_readings_must_match_the_crops(half_read: Path) -> None:
    pipeline = build_pipeline(OPTIONS)
    with open_document(half_read) as document:
        paused = begin(pipeline, document, 0)
        assert isinstance(paused, PausedPage)
        with pytest.raises(ValueError, match="readings for"):
            finish(pipeline, paused.state, [], 0, lambda: document)

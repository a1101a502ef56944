"""PP-OCR's registry entries: its requirements, and the options that change its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream import EnvironmentFault
from inkstream.ocr_core.engines.ppocr.entry import PPOCR, PPOCR_DETECTOR
from inkstream.ocr_core.engines.ppocr.models import find_model
from inkstream.ocr_core.options import DetectOptions, PpocrOptions, RecognizeOptions

NOWHERE = "/nowhere.onnx"


def test_versions_name_the_models_and_their_libraries() -> None:
    assert set(PPOCR.versions(PpocrOptions())) == {"model:ppocr-rec", "onnxruntime"}
    assert set(PPOCR.versions(PpocrOptions(lexicon=("en",)))) == {"model:ppocr-rec", "onnxruntime", "pyspellchecker"}
    detector = PPOCR_DETECTOR.versions(DetectOptions(engine="ppocr"), RecognizeOptions())
    assert set(detector) == {"model:ppocr-det", "onnxruntime"}
    model = find_model("det")
    assert detector["model:ppocr-det"].startswith(f"{model.stem} ")


def test_a_model_version_depends_on_its_content(tmp_path: Path) -> None:
    first, second = tmp_path / "model.onnx", tmp_path / "other" / "model.onnx"
    second.parent.mkdir()
    for path in (first, second):
        path.write_bytes(b"the same")
    versions = [PPOCR.versions(PpocrOptions(model=str(path))) for path in (first, second)]
    second.write_bytes(b"another one")
    assert versions[0] == versions[1] != PPOCR.versions(PpocrOptions(model=str(second)))


def test_checks_and_load_report_a_missing_model() -> None:
    (check,) = PPOCR.checks(PpocrOptions(model=NOWHERE))
    assert (check.name, check.ok, NOWHERE in check.detail) == ("ppocr recogniser", False, True)
    (check,) = PPOCR_DETECTOR.checks(DetectOptions(engine="ppocr", model=NOWHERE), RecognizeOptions())
    assert (check.name, check.ok, NOWHERE in check.detail) == ("ppocr detector", False, True)
    assert PPOCR_DETECTOR.load is not None
    with pytest.raises(EnvironmentFault, match=NOWHERE):
        PPOCR_DETECTOR.load(DetectOptions(engine="ppocr", model=NOWHERE))
    assert all(check.ok for check in PPOCR.checks(PpocrOptions()))

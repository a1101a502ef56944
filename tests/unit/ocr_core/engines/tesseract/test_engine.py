"""Opening Tesseract: with either binding, a model that cannot be loaded is an environment fault."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from inkstream import ConfigError, DocumentError, EnvironmentFault, FailureKind
from inkstream.ocr_core.engines.tesseract.engine import (
    PytesseractEngine,
    TesserocrEngine,
    find_models,
    hint_files,
    open_engine,
    resolve_binding,
    told_resolution,
)
from inkstream.ocr_core.options import RecognizeOptions

BINDINGS = ["tesserocr", "pytesseract"]
MODELS = find_models(RecognizeOptions())


def broken(folder: Path, damage: str) -> Path:
    path = folder / "eng.traineddata"
    shutil.copy(MODELS / path.name, path)
    data = path.read_bytes()
    path.write_bytes({"cut off": data[: len(data) // 3], "empty": b"", "a web page": b"<html></html>"}[damage])
    return folder


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("damage", ["cut off", "empty", "a web page"])
def test_damaged_models_are_an_environment_fault(tmp_path: Path, binding: str, damage: str) -> None:
    options = RecognizeOptions(binding=binding, tessdata=str(broken(tmp_path, damage)))
    with pytest.raises(EnvironmentFault, match="Tesseract cannot start with languages eng"):
        open_engine(options)


@pytest.mark.parametrize("made", [TesserocrEngine, PytesseractEngine])
@pytest.mark.parametrize("mode", ["legacy", "legacy_lstm"])
def test_models_without_the_legacy_engine_are_an_environment_fault(made: type, mode: str) -> None:
    with pytest.raises(EnvironmentFault, match=f"engine_mode {mode}"):
        made(RecognizeOptions(engine_mode=mode), MODELS)


@pytest.mark.parametrize("binding", BINDINGS)
def test_an_engine_is_reused_until_an_option_it_was_opened_with_changes(binding: str) -> None:
    first = open_engine(RecognizeOptions(binding=binding))
    assert open_engine(RecognizeOptions(binding=binding, page_seg_mode=6)) is first
    assert open_engine(RecognizeOptions(binding=binding, char_whitelist="0")) is not first


@pytest.mark.parametrize("binding", BINDINGS)
def test_an_unknown_variable_is_a_config_error(binding: str) -> None:
    with pytest.raises(ConfigError, match="no variable 'no_such'"):
        open_engine(RecognizeOptions(binding=binding, variables={"no_such": "1"}))


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_blank_picture_has_no_words_and_noise_times_out(binding: str) -> None:
    engine = open_engine(RecognizeOptions(binding=binding))
    white = np.full((60, 200), 255, np.uint8)
    assert not [row for row in engine.read(white, 300, 3, 30) if row.text.strip()]
    noise = np.random.default_rng(3).integers(0, 256, (1500, 1500), np.uint8)
    with pytest.raises(DocumentError) as caught:
        engine.read(noise, 300, 3, 0.01)
    assert caught.value.kind is FailureKind.TIMEOUT


def test_auto_uses_the_first_installed_binding(monkeypatch: pytest.MonkeyPatch) -> None:
    module = "inkstream.ocr_core.engines.tesseract.engine.find_spec"
    monkeypatch.setattr(module, lambda name: None if name == "tesserocr" else name)
    assert resolve_binding(RecognizeOptions()) == "pytesseract"
    monkeypatch.setattr(module, lambda _name: None)
    with pytest.raises(EnvironmentFault, match="tesserocr or pytesseract is not installed"):
        resolve_binding(RecognizeOptions())


def test_the_resolution_is_passed_on_unless_unknown_or_ignored() -> None:
    assert told_resolution(RecognizeOptions(), 300) == 300
    assert (
        told_resolution(RecognizeOptions(), None) == told_resolution(RecognizeOptions(ignore_resolution=True), 300) == 0
    )


def test_hint_files_exist_only_inside_the_context() -> None:
    with hint_files(RecognizeOptions()) as files:
        assert files == {}
    with hint_files(RecognizeOptions(user_words=("Inkstream", "tar"))) as files:
        path = Path(files["user_words_file"])
        assert path.read_text() == "Inkstream\ntar\n"
    assert not path.exists()

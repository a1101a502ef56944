"""Which models are found, their kind, and the command that installs missing ones."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from inkstream import EnvironmentFault, PipelineOptions, check_environment
from inkstream.ocr_core.engines.tesseract.tessdata import Wanted, describe_model, find_tessdata, has_legacy, kind_of
from inkstream.ocr_core.installation import system_command
from inkstream.ocr_core.options import RecognizeOptions

INSTALLED = find_tessdata(Wanted(), ("eng",)) / "eng.traineddata"


@pytest.fixture(autouse=True)
def no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)


def model(path: Path, *, legacy: bool = False) -> Path:
    """Write a skeleton of a model in Tesseract's format: its table of contents, and the parts that these tests need."""
    parts = {3: b"templates " if legacy else b"", 17: b"network ", 23: b"4.00.00alpha"}
    start, offsets = 4 + 24 * 8, [-1] * 24
    for place, part in parts.items():
        if part:
            offsets[place] = start
            start += len(part)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<i24q", 24, *offsets) + b"".join(parts.values()))
    return path


def test_has_legacy_finds_the_legacy_engine_in_a_model(tmp_path: Path) -> None:
    assert has_legacy(model(tmp_path / "a.traineddata", legacy=True))
    assert not has_legacy(model(tmp_path / "b.traineddata"))


@pytest.mark.skipif(kind_of(INSTALLED.parent) != "fast", reason="other models are installed")
def test_the_installed_fast_models_have_no_legacy_engine() -> None:
    assert not has_legacy(INSTALLED)


@pytest.mark.parametrize("content", [b"", b"abc", b"<!DOCTYPE html><html>not found</html>", bytes(100)])
def test_has_legacy_rejects_files_that_are_not_models(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "eng.traineddata"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="does not begin with a table of contents"):
        has_legacy(path)


def test_a_web_page_saved_as_a_model_is_an_environment_fault(tmp_path: Path) -> None:
    path = tmp_path / "eng.traineddata"
    path.write_text("<!DOCTYPE html><html>not found</html>")
    with pytest.raises(EnvironmentFault, match="not a Tesseract model") as caught:
        describe_model(path)
    assert f"-o {path} https://github.com/tesseract-ocr/tessdata_fast/raw/main/eng.traineddata" in caught.value.remedy
    options = PipelineOptions(recognize=RecognizeOptions(tessdata=str(tmp_path)))
    assert [check.name for check in check_environment(options) if not check.ok] == ["tesseract language eng"]


def test_model_types_are_found_near_the_usual_folder(tmp_path: Path) -> None:
    usual = tmp_path / "tessdata"
    for name in ("eng", "deu"):
        model(usual / f"{name}.traineddata", legacy=True)
    model(tmp_path / "tessdata_best" / "eng.traineddata")
    model(usual / "tessdata_fast" / "eng.traineddata")

    def folder_of(model_type: str, *languages: str) -> Path:
        return find_tessdata(Wanted(str(usual), model_type), languages)

    assert folder_of("base", "eng", "deu") == usual
    assert folder_of("best", "eng") == tmp_path / "tessdata_best"
    assert folder_of("fast", "eng") == usual / "tessdata_fast"
    with pytest.raises(EnvironmentFault, match="no `best` data for language deu in") as caught:
        folder_of("best", "eng", "deu")
    target = tmp_path / "tessdata_best" / "deu.traineddata"
    source = "https://github.com/tesseract-ocr/tessdata_best/raw/main/deu.traineddata"
    assert caught.value.remedy == f"curl -fL --create-dirs -o {target} {source}"
    (tmp_path / "tessdata_best" / "eng.traineddata").unlink()
    with pytest.raises(EnvironmentFault) as caught:
        folder_of("best", "eng")
    assert f"-o {tmp_path}/tessdata_best/eng.traineddata" in caught.value.remedy, "no existing model is overwritten"


def test_the_name_of_a_given_folder_decides_its_model_type(tmp_path: Path) -> None:
    for name in ("mine", "tessdata_fast"):
        model(tmp_path / name / "eng.traineddata")
    assert find_tessdata(Wanted(str(tmp_path / "mine")), ("eng",)) == tmp_path / "mine"
    assert find_tessdata(Wanted(str(tmp_path / "tessdata_fast"), "fast"), ("eng",)) == tmp_path / "tessdata_fast"
    for name in ("mine", "tessdata_fast"):
        with pytest.raises(EnvironmentFault, match="no `best` data"):
            find_tessdata(Wanted(str(tmp_path / name), "best"), ("eng",))


def test_the_folder_name_decides_the_model_type_under_tessdata_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(tmp_path / "mine" / "qqq.traineddata")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "mine"))
    assert find_tessdata(Wanted(), ("qqq",)) == tmp_path / "mine"
    with pytest.raises(EnvironmentFault, match="no `fast` data"):
        find_tessdata(Wanted(None, "fast"), ("qqq",))
    model(tmp_path / "tessdata_fast" / "qqq.traineddata")
    assert find_tessdata(Wanted(None, "fast"), ("qqq",)) == tmp_path / "tessdata_fast"


@pytest.mark.skipif(kind_of(INSTALLED.parent) != "fast", reason="other models are installed")
def test_remedies_where_only_the_fast_models_are_installed() -> None:
    assert find_tessdata(Wanted(None, "fast"), ("eng",)) == INSTALLED.parent
    with pytest.raises(EnvironmentFault, match="no `best` data") as caught:
        find_tessdata(Wanted(None, "best"), ("eng",))
    sudo = "" if os.access(INSTALLED.parent.parent, os.W_OK) else "sudo "
    target = INSTALLED.parent.parent / "tessdata_best" / "eng.traineddata"
    source = "https://github.com/tesseract-ocr/tessdata_best/raw/main/eng.traineddata"
    assert caught.value.remedy == f"{sudo}curl -fL --create-dirs -o {target} {source}"
    with pytest.raises(EnvironmentFault) as caught:
        find_tessdata(Wanted(None, "best"), ("xyz",))
    assert f"-o {target.with_stem('xyz')} " in caught.value.remedy
    with pytest.raises(EnvironmentFault, match="xyz") as caught:
        find_tessdata(Wanted(None, "fast"), ("eng", "xyz"))
    assert caught.value.remedy == system_command("tesseract-ocr", "tesseract-ocr-xyz")


@pytest.mark.skipif(has_legacy(INSTALLED), reason="legacy models are installed")
@pytest.mark.parametrize("mode", ["legacy", "legacy_lstm"])
def test_check_environment_finds_missing_legacy_models(mode: str) -> None:
    options = PipelineOptions(recognize=RecognizeOptions(engine_mode=mode))
    fault = next(check for check in check_environment(options) if not check.ok)
    assert "no legacy-engine data for language eng" in fault.detail
    assert "tesseract-ocr/tessdata/raw/main/eng.traineddata" in fault.remedy
    assert "set recognize.tessdata to" in fault.remedy


def test_each_language_has_its_own_check(tmp_path: Path) -> None:
    model(tmp_path / "eng.traineddata")
    options = PipelineOptions(recognize=RecognizeOptions(languages="eng+deu+fra", tessdata=str(tmp_path)))
    checks = {check.name: check for check in check_environment(options)}
    assert checks["tesseract language eng"].detail.startswith(f"{tmp_path / 'eng.traineddata'} (LSTM, ")
    for name in ("deu", "fra"):
        assert not checks[f"tesseract language {name}"].ok
        assert f"tesseract-ocr/tessdata/raw/main/{name}.traineddata" in checks[f"tesseract language {name}"].remedy


def test_languages_in_different_folders_cannot_be_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(tmp_path / "tessdata" / "zzz.traineddata")
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    checks = check_environment(PipelineOptions(recognize=RecognizeOptions(languages=("eng", "zzz"))))
    failed = [check for check in checks if not check.ok]
    assert [check.name for check in failed] == ["tesseract languages together"]
    assert "in several: " in failed[0].detail
    assert f"{tmp_path}/tessdata/zzz.traineddata" in failed[0].remedy

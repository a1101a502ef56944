"""Which models are found, what kind they are, and the command that gets the missing ones."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from inkstream import EnvironmentFault, PipelineOptions, check_environment
from inkstream.ocr_core.engines.tesseract.tessdata import Wanted, describe_model, find_tessdata
from inkstream.ocr_core.engines.tesseract.traineddata import read_model
from inkstream.ocr_core.installation import system_command
from inkstream.ocr_core.options import RecognizeOptions

INSTALLED = find_tessdata(Wanted(), ("eng",)) / "eng.traineddata"


@pytest.fixture(autouse=True)
def no_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TESSDATA_PREFIX", raising=False)


def model(path: Path, *, legacy: bool, integer: bool | None) -> Path:
    """A model's outline as Tesseract writes it: the table of contents, and a network but for its weights."""
    templates = b"templates " if legacy else b""
    flags = struct.pack("<i24x", 64 | bool(integer))
    network = b"" if integer is None else b"\0weights[1,36,0,1Ct3,3,16Mp3,3Lfys48O1c1]" + flags
    version = b"4.00.00alpha"
    start, offsets = 4 + 24 * 8, [-1] * 24
    for place, part in ((3, templates), (17, network), (23, version)):
        if part:
            offsets[place] = start
            start += len(part)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<i24q", 24, *offsets) + templates + network + version)
    return path


@pytest.mark.parametrize(
    ("legacy", "integer", "kind"),
    [(True, True, "base"), (False, False, "best"), (False, True, "fast"), (True, None, "other")],
)
def test_the_type_of_a_model(tmp_path: Path, legacy: bool, integer: bool | None, kind: str) -> None:
    made = read_model(model(tmp_path / "a.traineddata", legacy=legacy, integer=integer))
    assert (made.legacy, made.lstm, made.model_type) == (legacy, integer is not None, kind)


def test_the_installed_models_are_of_a_type() -> None:
    assert read_model(INSTALLED).model_type in ("base", "best", "fast")
    assert read_model(INSTALLED).lstm


@pytest.mark.parametrize("size", [0, 3, 100, 10_000])
def test_a_model_that_is_cut_off_is_none(tmp_path: Path, size: int) -> None:
    path = tmp_path / "eng.traineddata"
    path.write_bytes(INSTALLED.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"begin|ends|cut off"):
        read_model(path)


def test_a_web_page_saved_as_a_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "eng.traineddata"
    path.write_text("<!DOCTYPE html><html>not found</html>")
    with pytest.raises(EnvironmentFault, match="not a Tesseract model") as caught:
        describe_model(path)
    assert f"-o {path} https://github.com/tesseract-ocr/tessdata_fast/raw/main/eng.traineddata" in caught.value.remedy
    options = PipelineOptions(recognize=RecognizeOptions(tessdata=str(tmp_path)))
    assert [check.name for check in check_environment(options) if not check.ok] == ["tesseract language eng"]


def test_types_are_looked_for_beside_the_usual_folder(tmp_path: Path) -> None:
    usual = tmp_path / "tessdata"
    for name in ("eng", "deu"):
        model(usual / f"{name}.traineddata", legacy=True, integer=True)
    model(tmp_path / "tessdata_best" / "eng.traineddata", legacy=False, integer=False)
    model(usual / "tessdata_fast" / "eng.traineddata", legacy=False, integer=True)

    def found(model_type: str, *languages: str) -> Path:
        return find_tessdata(Wanted(str(usual), model_type), languages)

    assert found("base", "eng", "deu") == usual
    assert found("best", "eng") == tmp_path / "tessdata_best"
    assert found("fast", "eng") == usual / "tessdata_fast"
    with pytest.raises(EnvironmentFault, match="no `best` data for language deu in") as caught:
        found("best", "eng", "deu")
    target = tmp_path / "tessdata_best" / "deu.traineddata"
    source = "https://github.com/tesseract-ocr/tessdata_best/raw/main/deu.traineddata"
    assert caught.value.remedy == f"curl -fL --create-dirs -o {target} {source}"
    (tmp_path / "tessdata_best" / "eng.traineddata").unlink()
    with pytest.raises(EnvironmentFault) as caught:
        found("best", "eng")
    assert f"-o {tmp_path}/tessdata_best/eng.traineddata" in caught.value.remedy, "no model there is is overwritten"


def test_the_best_models_may_be_where_they_are_asked_for(tmp_path: Path) -> None:
    model(tmp_path / "mine" / "eng.traineddata", legacy=False, integer=False)
    assert find_tessdata(Wanted(str(tmp_path / "mine"), "best"), ("eng",)) == tmp_path / "mine"


@pytest.mark.skipif(read_model(INSTALLED).model_type != "fast", reason="other models are installed")
def test_what_to_do_where_only_the_fast_models_are_installed() -> None:
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


@pytest.mark.skipif(read_model(INSTALLED).legacy, reason="legacy models are installed")
@pytest.mark.parametrize("mode", ["legacy", "legacy_lstm"])
def test_the_legacy_engine_without_its_models_is_told_before_anything_runs(mode: str) -> None:
    options = PipelineOptions(recognize=RecognizeOptions(engine_mode=mode))
    fault = next(check for check in check_environment(options) if not check.ok)
    assert "no legacy-engine data for language eng" in fault.detail
    assert "tesseract-ocr/tessdata/raw/main/eng.traineddata" in fault.remedy
    assert "set recognize.tessdata to" in fault.remedy


def test_each_language_has_its_check(tmp_path: Path) -> None:
    model(tmp_path / "eng.traineddata", legacy=False, integer=True)
    options = PipelineOptions(recognize=RecognizeOptions(languages="eng+deu+fra", tessdata=str(tmp_path)))
    checks = {check.name: check for check in check_environment(options)}
    assert checks["tesseract language eng"].detail.startswith(f"{tmp_path / 'eng.traineddata'} (fast, ")
    for name in ("deu", "fra"):
        assert not checks[f"tesseract language {name}"].ok
        assert f"tesseract-ocr/tessdata/raw/main/{name}.traineddata" in checks[f"tesseract language {name}"].remedy


def test_languages_in_different_folders_cannot_be_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(tmp_path / "tessdata" / "zzz.traineddata", legacy=False, integer=True)
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    checks = check_environment(PipelineOptions(recognize=RecognizeOptions(languages=("eng", "zzz"))))
    failed = [check for check in checks if not check.ok]
    assert [check.name for check in failed] == ["tesseract languages together"]
    assert "in several: " in failed[0].detail
    assert f"{tmp_path}/tessdata/zzz.traineddata" in failed[0].remedy

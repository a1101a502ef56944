from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inkstream import (
    EnvironmentFault,
    PipelineOptions,
    check_environment,
    engine_versions,
    pipeline_id,
    require_environment,
)
from inkstream.ocr_core.engines.tesseract.tessdata import Wanted, find_tessdata
from inkstream.ocr_core.installation import system_command
from inkstream.ocr_core.options import RecognizeOptions, TextLayerOptions
from inkstream.ocr_core.pipeline.environment import joined_versions
from tests.places import ROOT


def with_recognize(**changes: object) -> PipelineOptions:
    return PipelineOptions(recognize=RecognizeOptions(**changes))


def test_the_default_pipeline_passes_every_check() -> None:
    checks = check_environment(PipelineOptions())
    assert [check.name for check in checks if not check.ok] == []
    assert [check.remedy for check in checks] == [""] * len(checks)
    require_environment(PipelineOptions())


def test_a_missing_language_names_its_package() -> None:
    options = with_recognize(languages=("eng", "xyz"))
    with pytest.raises(EnvironmentFault, match="no data for language xyz") as caught:
        require_environment(options)
    assert caught.value.remedy == system_command("tesseract-ocr", "tesseract-ocr-xyz")
    checks = {check.name: check for check in check_environment(options)}
    assert checks["tesseract language eng"].ok
    assert "eng.traineddata (" in checks["tesseract language eng"].detail
    assert not checks["tesseract language xyz"].ok
    assert checks["tesseract language xyz"].remedy == caught.value.remedy


def test_text_layers_alone_need_no_tesseract() -> None:
    options = PipelineOptions(text_layer=TextLayerOptions(mode="only"), recognize=RecognizeOptions(languages=("xyz",)))
    require_environment(options)
    assert "tesseract" not in engine_versions(options)


def test_tessdata_is_found_by_option_then_by_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = find_tessdata(Wanted(), ("eng",))
    for name in ("option", "prefix", "parent/tessdata"):
        (tmp_path / name).mkdir(parents=True)
        shutil.copy(usual / "eng.traineddata", tmp_path / name)
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "prefix"))
    assert find_tessdata(Wanted(str(tmp_path / "option")), ("eng",)) == tmp_path / "option"
    assert find_tessdata(Wanted(), ("eng",)) == tmp_path / "prefix"
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "parent"))
    assert find_tessdata(Wanted(), ("eng",)) == tmp_path / "parent/tessdata"
    with pytest.raises(EnvironmentFault, match="eng in"):
        find_tessdata(Wanted(str(tmp_path)), ("eng",))


def test_the_pipeline_id_covers_what_changes_the_output(tmp_path: Path) -> None:
    options = PipelineOptions()
    versions = engine_versions(options)
    assert {"tesseract", "model:eng", "pdfium", "pypdfium2"} <= set(versions)
    default_id = pipeline_id(options, versions)
    assert default_id == pipeline_id(PipelineOptions(), dict(reversed(versions.items())))
    assert len(default_id) == 16
    assert pipeline_id(with_recognize(time_limit=5, tessdata=str(tmp_path)), versions) == default_id
    assert pipeline_id(with_recognize(page_seg_mode=6), versions) != default_id
    assert pipeline_id(options, {**versions, "model:eng": "other"}) != default_id
    assert pipeline_id(options, {**versions, "tesseract": "tesseract 4.1.1"}) != default_id
    assert pipeline_id(with_recognize(binding="pytesseract"), versions) == default_id


def test_each_binding_reports_the_version_of_its_own_tesseract(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkstream.ocr_core.engines.tesseract.entry.tesseract_version", "tesseract of {}".format)
    for binding in ("tesserocr", "pytesseract"):
        assert engine_versions(with_recognize(binding=binding))["tesseract"] == f"tesseract of {binding}"


def test_importing_loads_no_native_library() -> None:
    code = (
        "import sys, inkstream.ocr_core.options, inkstream.ocr_core.workers.page_worker\n"
        "import inkstream.ocr_core.sandbox.supervisor\n"
        "heavy = {'numpy', 'PIL', 'pypdfium2', 'tesserocr', 'pytesseract', 'doxapy'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_checks_and_versions_cover_each_share_of_the_work() -> None:
    options = PipelineOptions.model_validate({"recognize": {"engine": "auto"}})
    assert [check.name for check in check_environment(options, "lines")] == ["ppocr recogniser"]
    pages, lines = engine_versions(options, "pages"), engine_versions(options, "lines")
    assert ("model:ppocr-rec" in pages, "tesseract" in lines, "model:ppocr-det" in lines) == (False, False, False)
    assert joined_versions(pages, lines) == engine_versions(options)
    assert joined_versions({"a": "1", "b": "2"}, {"b": "3"}) == {"a": "1", "b": "2 and 3"}

"""Tesseract's registry entries: its requirements, and the options that change its text."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream import EnvironmentFault
from inkstream.ocr_core.engines.tesseract import entry
from inkstream.ocr_core.engines.tesseract.entry import (
    TESSERACT,
    TESSERACT_LAYOUT,
    orientation_checks,
    orientation_versions,
    tesseract_version,
)
from inkstream.ocr_core.options import DetectOptions, RecognizeOptions


def test_versions_name_the_program_and_the_data() -> None:
    versions = TESSERACT.versions(RecognizeOptions())
    assert set(versions) == {"tesseract", "model:eng"}
    assert versions["tesseract"].startswith("tesseract 5")
    assert TESSERACT_LAYOUT.versions(DetectOptions(), RecognizeOptions()) == versions
    assert set(orientation_versions(RecognizeOptions())) == {"model:osd"}


def test_checks_name_the_binding_and_each_language() -> None:
    names = [check.name for check in TESSERACT.checks(RecognizeOptions())]
    assert names == ["tesseract binding", "tesseract language eng"]
    checks = {check.name: check.ok for check in TESSERACT.checks(RecognizeOptions(languages="eng+xyz"))}
    assert checks == {"tesseract binding": True, "tesseract language eng": True, "tesseract language xyz": False}
    assert [check.ok for check in orientation_checks(RecognizeOptions())] == [True]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a program called tesseract the only one on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    path = tmp_path / "tesseract"
    path.write_text("#!/bin/sh\necho tesseract 9.8.7\n")
    path.chmod(0o755)
    entry.tesseract_version.cache_clear()
    return path


def test_the_version_comes_from_the_tesseract_program(program: Path) -> None:
    assert tesseract_version("pytesseract") == "tesseract 9.8.7"


@pytest.mark.parametrize(("script", "problem"), [("exit 3", "does not run"), (None, "is not installed")])
def test_a_missing_or_broken_program_is_an_environment_fault(program: Path, script: str | None, problem: str) -> None:
    program.unlink()
    if script:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    with pytest.raises(EnvironmentFault, match=problem):
        tesseract_version("pytesseract")

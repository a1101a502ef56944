"""What `inkstream ocr` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inkstream.flows.console.ocr import print_ocr
from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.tasks.config import build_config
from tests import generators
from tests.faults.documents import tiny_pdf

PLACES = {"source": {"url": "."}, "sink": {"url": "."}}
CONFIG = build_config(PLACES, overrides=["pipeline.text_layer.mode=only"])


def test_text_is_printed_plainly_and_a_pdf_is_refused_on_a_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.pdf").write_bytes(tiny_pdf("the text of page one", "the text of page two"))
    assert not print_ocr(tmp_path / "a.pdf", CONFIG, ExportFormat.TEXT, None)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("the text of page one\n\fthe text of page two\n", "")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(ConfigError, match="a terminal cannot show a PDF; give --output FILE"):
        print_ocr(tmp_path / "a.pdf", CONFIG, ExportFormat.PDF, None)


def test_a_failed_page_is_numbered_from_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = [generators.page_image(["one"]), generators.page_image(["two"], dpi=300)]
    images[0].save(tmp_path / "a.tiff", save_all=True, append_images=images[1:])
    small = {**PLACES, "pipeline": {"render": {"max_pixels": 3_000_000}}}
    assert print_ocr(tmp_path / "a.tiff", build_config(small), ExportFormat.JSON, tmp_path / "out" / "a.json")
    shown = capsys.readouterr()
    assert (shown.out, shown.err.startswith(f"{tmp_path / 'a.tiff'} page 2: limit: ")) == ("", True)
    pages = [json.loads(line) for line in (tmp_path / "out" / "a.json").read_text().splitlines()]
    assert [page["pagenum"] for page in pages] == [0, 1]

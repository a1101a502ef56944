"""What `inkstream export` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.flows.console.export import print_export
from inkstream.ocr_core.export.export_format import ExportFormat
from tests.integration.committing import export_of
from tests.integration.flows.conftest import SmallSink


def test_the_totals_count_files_that_were_not_exported(
    small_sink: SmallSink, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = export_of(small_sink.url, str(tmp_path), ExportFormat.PDF)
    assert print_export(export, "out", as_json=False) == (1, 0)
    shown = capsys.readouterr()
    assert shown.out == "3 files, 4 pages (0 of them could not be read) in out\n"
    assert shown.err.startswith("damaged.pdf: not exported: ")

"""Each text format has a writer."""

from __future__ import annotations

import json

from inkstream import PageResult
from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.ocr_core.export.writers import TEXT_WRITERS


def test_every_text_format_has_a_writer_and_an_extension_of_its_own() -> None:
    assert set(TEXT_WRITERS) == set(ExportFormat) - {ExportFormat.PDF}
    assert len({export_format.extension for export_format in ExportFormat}) == len(ExportFormat)


def test_each_writer_writes_its_own_format() -> None:
    pages = [PageResult(0, 1, text="a letter", width=10, height=20)]
    written = {name: write(pages, "a.png") for name, write in TEXT_WRITERS.items()}
    assert written[ExportFormat.TEXT] == "a letter\n"
    assert json.loads(written[ExportFormat.JSON])["text"] == "a letter"
    assert "ocr_page" in written[ExportFormat.HOCR]
    assert "<alto " in written[ExportFormat.ALTO]

"""The formats by name: what the command line needs to know of them before it has any work."""

from __future__ import annotations

from enum import StrEnum


class ExportFormat(StrEnum):
    """What a document's results can be written as."""

    TEXT = "text"
    JSON = "json"
    HOCR = "hocr"
    ALTO = "alto"
    PDF = "pdf"

    @property
    def extension(self) -> str:
        """What is put behind a document's own name, which keeps `a.png` and `a.pdf` apart."""
        return _EXTENSIONS[self]


_EXTENSIONS = {
    ExportFormat.TEXT: ".txt",
    ExportFormat.JSON: ".jsonl",
    ExportFormat.HOCR: ".hocr",
    ExportFormat.ALTO: ".alto.xml",
    ExportFormat.PDF: ".ocr.pdf",
}

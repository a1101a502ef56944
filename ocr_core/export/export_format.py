"""The names of the export formats, apart from the writers so that the command line starts quickly."""

from __future__ import annotations

from enum import StrEnum


class ExportFormat(StrEnum):
    """A format that a document's results can be written in."""

    TEXT = "text"
    JSON = "json"
    HOCR = "hocr"
    ALTO = "alto"
    PDF = "pdf"

    @property
    def extension(self) -> str:
        """The suffix added to a document's whole name, which keeps `a.png` and `a.pdf` apart."""
        return _EXTENSIONS[self]


_EXTENSIONS = {
    ExportFormat.TEXT: ".txt",
    ExportFormat.JSON: ".jsonl",
    ExportFormat.HOCR: ".hocr",
    ExportFormat.ALTO: ".alto.xml",
    ExportFormat.PDF: ".ocr.pdf",
}

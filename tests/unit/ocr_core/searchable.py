"""Makes searchable PDFs for tests, and reads them as other programs do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
from PIL import Image

from inkstream import PipelineOptions
from inkstream.ocr_core.export.searchable_pdf import searchable_pdf
from inkstream.ocr_core.page import Level, PageResult

IGNORE = PipelineOptions.model_validate({"text_layer": {"mode": "ignore"}, "render": {"resolution": 150}})
LINES = ["The harbour library", "opens at nine on weekdays", "and closes at five."]


@dataclass(frozen=True, slots=True)
class Character:
    """A character that PDFium finds: its box in pixels of the page as displayed, y down."""

    text: str
    left: float
    top: float
    right: float
    bottom: float


def make_searchable(source: Path, pages: list[PageResult]) -> Path:
    target = source.with_name(f"{source.name}.ocr.pdf")
    searchable_pdf(source, pages, target)
    return target


def text_of(path: Path, number: int = 0) -> str:
    with pdfium.PdfDocument(path) as document:
        return " ".join(document[number].get_textpage().get_text_range().split())


def characters(path: Path, width: int, height: int, number: int = 0) -> list[Character]:
    """Return PDFium's characters in pixels of a `width` x `height` rendering; PDFium turns and crops the page."""
    drawn = []
    with pdfium.PdfDocument(path) as document:
        page = document[number]
        text = page.get_textpage()
        for index in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(index)
            xs, ys = zip(*(to_pixels(page, width, height, *at) for at in ((left, top), (right, bottom))), strict=True)
            drawn.append(Character(text.get_text_range(index, 1), min(xs), min(ys), max(xs), max(ys)))
    return drawn


def to_pixels(page: pdfium.PdfPage, width: int, height: int, x: float, y: float) -> tuple[float, float]:
    import ctypes

    fine = 64  # PDFium returns whole pixels
    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.raw.FPDF_PageToDevice(page.raw, 0, 0, width * fine, height * fine, 0, x, y, across, down)
    return across.value / fine, down.value / fine


def rendered(path: Path, number: int = 0, scale: float = 1.0) -> Image.Image:
    with pdfium.PdfDocument(path) as document:
        picture: Image.Image = document[number].render(scale=scale).to_pil()
        return picture.convert("RGB")


def only_picture(pdf: pikepdf.Pdf) -> pikepdf.Stream:
    (picture,) = pdf.pages[0].Resources.XObject.values()
    assert isinstance(picture, pikepdf.Stream)
    return picture


def assert_words_in_place(path: Path, page: PageResult, slack: float = 1.5) -> None:
    """Check that each word's characters lie between its left and right edge, around the middle of its box."""
    assert page.width
    assert page.height
    drawn = [c for c in characters(path, page.width, page.height) if not c.text.isspace()]
    words = [r for r in page.regions if r.level is Level.WORD and r.text]
    assert "".join(c.text for c in drawn) == "".join(str(word.text) for word in words)
    for word in words:
        own, drawn = drawn[: len(str(word.text))], drawn[len(str(word.text)) :]
        for character in own:
            assert word.box.left - slack <= character.left <= character.right <= word.box.right + slack
            assert character.top - slack <= word.box.top + word.box.height / 2 <= character.bottom + slack

"""Pictures as the pages of searchable PDFs."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageChops

from inkstream import read_document
from inkstream.ocr_core.page import PageResult
from tests import generators
from tests.unit.ocr_core.searchable import (
    LINES,
    assert_words_in_place,
    make_searchable,
    only_picture,
    rendered,
    text_of,
)


def test_pictures_become_pages_at_their_dpi(tmp_path: Path) -> None:
    source = tmp_path / "page.png"
    generators.page_image(LINES, dpi=150).save(source, dpi=(150, 150))
    pages = list(read_document(source, sandboxed=False))
    result = make_searchable(source, pages)
    assert text_of(result) == " ".join(LINES)
    assert_words_in_place(result, pages[0])
    with pikepdf.open(result) as pdf:
        assert [round(float(v)) for v in pdf.pages[0].mediabox] == [0, 0, 612, 792]
        picture = only_picture(pdf)
        with Image.open(source) as original:
            stored = pikepdf.PdfImage(picture).as_pil_image().convert("L")
            assert ImageChops.difference(stored, original.convert("L")).getbbox() is None


@pytest.mark.parametrize(
    ("mode", "bits"), [("1", 1), ("L", 8), ("RGB", 8), ("RGBA", 8)], ids=["bilevel", "gray", "rgb", "alpha"]
)
def test_pictures_are_kept_without_loss(mode: str, bits: int, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (60, 90, 4), dtype=np.uint8)
    noise[..., 3] = 255
    picture = Image.fromarray(noise).convert(mode)
    picture.save(tmp_path / "a.png", dpi=(100, 100))
    page = PageResult(0, 1, text="", width=90, height=60, resolution=100)
    with pikepdf.open(make_searchable(tmp_path / "a.png", [page])) as pdf:
        stored = only_picture(pdf)
        assert stored.BitsPerComponent == bits
        extracted = pikepdf.PdfImage(stored).as_pil_image().convert("RGB")
    assert ImageChops.difference(extracted, picture.convert("RGB")).getbbox() is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_stored_unchanged_and_shown_upright(orientation: int, tmp_path: Path) -> None:
    source = generators.exif_jpeg(tmp_path / "a.jpg", orientation)
    pages = list(read_document(source, sandboxed=False))
    result = make_searchable(source, pages)
    assert_words_in_place(result, pages[0])
    with pikepdf.open(result) as pdf:
        picture = only_picture(pdf)
        assert picture.read_raw_bytes() == source.read_bytes()
    shown = rendered(result, scale=300 / 72).convert("L")
    upright = generators.text_image()
    assert shown.size == upright.size
    assert float(np.abs(np.asarray(shown, float) - np.asarray(upright, float)).mean()) < 3


def test_a_cmyk_jpeg_keeps_its_colours(tmp_path: Path) -> None:
    source = tmp_path / "a.jpg"
    Image.new("CMYK", (80, 40), (255, 0, 0, 0)).save(source, quality=95)
    result = make_searchable(source, [PageResult(0, 1, text="", width=80, height=40, resolution=100)])
    red, green, blue = rendered(result).getpixel((20, 10))  # type: ignore[misc]
    assert red < 80
    assert min(green, blue) > 120


def test_every_frame_of_a_tiff_is_a_page(tmp_path: Path) -> None:
    source = generators.tiff(tmp_path / "a.tif", ["First frame", "Second frame"], compression="group4", dpi=(200, 200))
    result = make_searchable(source, list(read_document(source, sandboxed=False)))
    assert [text_of(result, number) for number in (0, 1)] == ["First frame", "Second frame"]


def test_an_unreadable_picture_becomes_a_page_with_its_error(tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    buffer = io.BytesIO()
    generators.text_image().save(buffer, "PNG")
    source.write_bytes(buffer.getvalue()[:1500])
    pages = list(read_document(source, sandboxed=False))
    assert pages[0].failure is not None
    assert "This page could not be read: corrupt: the image is damaged" in text_of(make_searchable(source, pages))

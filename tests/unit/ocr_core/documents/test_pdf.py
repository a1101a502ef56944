"""A page's size follows its unit and its crop, and the words of a searchable copy follow the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
import pytest

from inkstream import PageResult, PipelineOptions, open_document, read_document
from inkstream.ocr_core.export.searchable_pdf import searchable_pdf
from inkstream.ocr_core.options import RenderOptions, TextLayerOptions
from tests.generators import PANGRAM, scanned_pdf
from tests.holding_generators import new_pdf
from tests.places import shared

PIXELS = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"))


def only(path: Path) -> PageResult:
    (result,) = read_document(path, PIXELS, sandboxed=False)
    return result


def in_units_of(path: Path, unit: float, stated: object = None) -> Path:
    """Write a scanned page whose media box is divided by a unit, which the page states (or states something else)."""
    scanned_pdf(path, [PANGRAM])
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[0]
        page.obj.MediaBox = [float(side) / unit for side in page.obj.MediaBox]
        page.contents_add(pdf.make_stream(f"{1 / unit} 0 0 {1 / unit} 0 0 cm\n".encode()), prepend=True)
        page.obj.UserUnit = unit if stated is None else stated
        pdf.save(path)
    return path


@pytest.mark.parametrize("unit", [0.5, 2, 10, 72])
def test_the_unit_of_a_page_is_obeyed(tmp_path: Path, unit: float) -> None:
    plain = only(scanned_pdf(tmp_path / "plain.pdf", [PANGRAM]))
    result = only(in_units_of(tmp_path / "a.pdf", unit))
    assert result.text == plain.text
    assert (result.width, result.height) == pytest.approx((plain.width, plain.height), abs=1)
    assert (result.resolution, result.notes) == (300, ())


@pytest.mark.parametrize("unit", [0.0001, 5000])
def test_an_absurd_unit_is_ignored_with_a_note(tmp_path: Path, unit: float) -> None:
    plain = only(scanned_pdf(tmp_path / "plain.pdf", [PANGRAM]))
    result = only(in_units_of(tmp_path / "a.pdf", 1, unit))
    assert (result.text, result.width, result.resolution) == (plain.text, plain.width, plain.resolution)
    assert result.notes[0].startswith(f"its UserUnit {unit:g} is ignored")


def test_the_words_of_a_searchable_copy_lie_on_their_ink_whatever_the_unit(tmp_path: Path) -> None:
    path = in_units_of(tmp_path / "a.pdf", 10)
    result = only(path)
    searchable_pdf(path, [result], tmp_path / "b.pdf")
    document = pypdfium2.PdfDocument(tmp_path / "b.pdf")
    page = document[0]
    text = page.get_textpage()
    found = text.search("quick")
    place, _ = found.get_next()
    left, bottom, right, top = text.get_charbox(place)
    word = next(region for region in result.regions if region.text == "quick")
    assert result.width is not None
    scale = result.width / page.get_width()
    assert left * scale == pytest.approx(word.box.left, abs=0.05 * word.box.width + 4)
    assert (page.get_height() - top) * scale == pytest.approx(word.box.top, abs=word.box.height)
    assert right > left
    assert top > bottom
    document.close()


def test_only_the_crop_box_is_rendered(tmp_path: Path) -> None:
    pdf = new_pdf(b"0 0 297 842 re f")
    pdf.pages[0].obj.CropBox = [298, 0, 595, 842]
    pdf.save(tmp_path / "a.pdf")
    with open_document(tmp_path / "a.pdf") as document:
        pixels = document.page(0).render(RenderOptions(resolution=72)).pixels
    assert pixels.shape == (842, 297)
    assert np.all(pixels == 255)


@pytest.mark.parametrize("path", shared("reports", "25_*.pdf"), ids=lambda path: path.name)
def test_the_reported_scan_is_a4(path: Path) -> None:
    result = only(path)
    assert (result.width, result.height) == (2480, 3509)
    assert "1,284.50" in (result.text or "")

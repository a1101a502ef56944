"""Searchable PDFs in other programs: PDFium finds the text in its place, and the pages look unchanged."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops

from inkstream import Box, read_document
from inkstream.ocr_core.export.glyphless import GlyphlessFont, clusters_of
from inkstream.ocr_core.export.invisible_text import placement
from inkstream.ocr_core.export.searchable_pdf import searchable_pdf
from inkstream.ocr_core.page import Level, PageResult
from tests import generators
from tests.layered import WHOLE_PAGE, layered_pdf, lines, picture_of
from tests.places import shared
from tests.unit.ocr_core.pages import GLYPH, page_of, region
from tests.unit.ocr_core.searchable import (
    IGNORE,
    LINES,
    assert_words_in_place,
    characters,
    make_searchable,
    rendered,
    text_of,
)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("cropped", [False, True])
def test_a_scan_looks_unchanged_and_gets_its_text(rotate: int, cropped: bool, tmp_path: Path) -> None:
    source = generators.scanned_pdf(tmp_path / "upright.pdf", ["\n".join(LINES)])
    with pikepdf.open(source) as pdf:  # stored rotated, and shown upright
        page = pdf.pages[0]
        left, bottom, right, top = (float(v) for v in page.mediabox)
        turn = {0: "", 90: f"0 1 -1 0 {top} 0 cm", 180: f"-1 0 0 -1 {right} {top} cm", 270: f"0 -1 1 0 0 {right} cm"}
        page.contents_add(turn[rotate].encode(), prepend=True)
        page.Rotate = rotate
        if rotate in (90, 270):
            page.mediabox = pikepdf.Array([left, bottom, top, right])
        if cropped:
            box = [float(v) for v in page.mediabox]
            page.cropbox = pikepdf.Array([box[0] + 40, box[1] + 30, box[2] - 20, box[3] - 10])
        pdf.save(tmp_path / "scan.pdf")
    source = tmp_path / "scan.pdf"
    pages = list(read_document(source, IGNORE, sandboxed=False))
    assert pages[0].text is not None
    assert " ".join(pages[0].text.split()) == " ".join(LINES)
    result = make_searchable(source, pages)
    assert text_of(result) == " ".join(LINES)
    assert_words_in_place(result, pages[0])
    assert ImageChops.difference(rendered(source), rendered(result)).getbbox() is None


def test_text_fits_a_moved_media_box_and_a_user_unit(tmp_path: Path) -> None:
    source = generators.scanned_pdf(tmp_path / "plain.pdf", ["\n".join(LINES)])
    with pikepdf.open(source) as pdf:
        page = pdf.pages[0]
        width, height = (float(v) for v in page.mediabox[2:])
        page.contents_add(b"1 0 0 1 -300 500 cm", prepend=True)
        page.mediabox = pikepdf.Array([-300, 500, width - 300, height + 500])
        page.UserUnit = 2
        pdf.save(tmp_path / "moved.pdf")
    source = tmp_path / "moved.pdf"
    pages = list(read_document(source, IGNORE, sandboxed=False))
    result = make_searchable(source, pages)
    assert_words_in_place(result, pages[0])
    with pikepdf.open(result) as pdf:
        assert pdf.pages[0].UserUnit == 2


def test_an_unrestored_graphics_state_does_not_move_the_text(tmp_path: Path) -> None:
    source = generators.scanned_pdf(tmp_path / "plain.pdf", ["\n".join(LINES)])
    with pikepdf.open(source) as pdf:
        pdf.pages[0].contents_add(b"q 5 0 0 5 300 300 cm", prepend=False)  # never restored
        pdf.save(tmp_path / "open.pdf")
    pages = list(read_document(tmp_path / "open.pdf", IGNORE, sandboxed=False))
    assert_words_in_place(make_searchable(tmp_path / "open.pdf", pages), pages[0])


def test_search_finds_phrases_of_several_words(tmp_path: Path) -> None:
    source = generators.scanned_pdf(tmp_path / "a.pdf", ["\n".join(LINES), "page two"])
    result = make_searchable(source, list(read_document(source, IGNORE, sandboxed=False)))
    with pdfium.PdfDocument(result) as document:
        assert document[0].get_textpage().search("nine on weekdays").get_next() is not None
        assert document[0].get_textpage().search("ten on weekdays").get_next() is None
        assert document[1].get_textpage().search("page two").get_next() is not None


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
def test_poppler_extracts_the_same_lines(tmp_path: Path) -> None:
    source = generators.scanned_pdf(tmp_path / "a.pdf", ["\n".join(LINES)])
    result = make_searchable(source, list(read_document(source, IGNORE, sandboxed=False)))
    process = subprocess.run(["pdftotext", result, "-"], capture_output=True, text=True, check=True, timeout=60)
    assert process.stderr == ""
    assert [line for line in process.stdout.split("\n") if line.strip("\f")] == LINES


def test_text_that_a_page_already_has_is_not_added_again(tmp_path: Path) -> None:
    source = generators.born_digital_pdf(tmp_path / "a.pdf", ["Born with its text"])
    pages = list(read_document(source, sandboxed=False))
    assert pages[0].engine == "text_layer"
    assert text_of(make_searchable(source, pages)) == "Born with its text"


def test_text_on_one_page_leaves_shared_resources_unchanged(tmp_path: Path) -> None:
    """Two pages inherit their font from the parent node; text is added to one of them."""
    source = generators.born_digital_pdf(tmp_path / "a.pdf", ["First of two", "Second of two"])
    with pikepdf.open(source) as pdf:
        pdf.Root.Pages.Resources = pdf.pages[0].Resources
        for page in pdf.pages:
            del page.obj["/Resources"]
        pdf.save(tmp_path / "shared.pdf")
    regions = page_of([(100, 900, ["added"])]).regions
    read = PageResult(1, 2, text="x", regions=regions, width=1275, height=1650, resolution=150)
    result = make_searchable(tmp_path / "shared.pdf", [read])
    assert text_of(result, 0) == "First of two"
    assert set(text_of(result, 1).split()) == {"Second", "of", "two", "added"}
    for number in (0, 1):
        assert ImageChops.difference(rendered(source, number), rendered(result, number)).getbbox() is None


SCRIPTS = {
    "hebrew": ["שלום", "עולם"],
    "arabic": ["السلام", "عليكم"],
    "marks": ["cafe\u0301", "o\u0308l"],
    "cjk": ["日本語", "文字"],
    "devanagari": ["नमस्ते", "दुनिया"],
    "beyond the basic plane": ["\U00010400\U00010428", "\U0001f600"],
}


@pytest.mark.parametrize("words", SCRIPTS.values(), ids=list(SCRIPTS))
def test_words_of_any_script_can_be_found_and_copied(words: list[str], tmp_path: Path) -> None:
    """`words` are in reading order; words of a right-to-left script are placed from right to left."""
    source = tmp_path / "blank.png"
    Image.new("L", (1000, 1000), 255).save(source)
    backwards = words[0] in SCRIPTS["hebrew"] + SCRIPTS["arabic"]
    page = page_of([(100, 100, words[::-1] if backwards else words)])
    if backwards:
        *above, second, first = page.regions
        page = PageResult(0, 1, "x", 90.0, (*above, first, second), 1000, 1000, 100)
    result = make_searchable(source, [page])
    assert text_of(result) == " ".join(words)
    with pdfium.PdfDocument(result) as document:
        for word in words:
            assert word in document[0].get_textpage().get_text_range()
    if shutil.which("pdftotext"):
        process = subprocess.run(["pdftotext", result, "-"], capture_output=True, check=True, timeout=60)
        plain = "".join(c for c in process.stdout.decode() if c not in "\u202a\u202b\u202c")
        assert " ".join(plain.split()) == " ".join(words)


def test_words_of_a_coarse_region_are_placed_inside_it(tmp_path: Path) -> None:
    source = tmp_path / "blank.png"
    Image.new("L", (1000, 1000), 255).save(source)
    block = region(0, None, Level.BLOCK, Box(100, 200, 600, 400), "first line\nsecond line\n\nthird one")
    result = make_searchable(source, [PageResult(0, 1, "x", 90.0, (block,), 1000, 1000, 100)])
    assert text_of(result) == "first line second line third one"
    drawn = characters(result, 1000, 1000)
    for character in drawn:  # 133 pixels high, and PDFium rounds a character's extents up by a hundredth or two
        assert 99 <= character.left <= character.right <= 701
        assert 197 <= character.top <= character.bottom <= 601
    third = next(c for c in drawn if c.text == "t" and c.top > 400)
    assert third.left == pytest.approx(100, abs=1)


def test_text_of_a_rotated_region_runs_along_it(tmp_path: Path) -> None:
    source = tmp_path / "blank.png"
    Image.new("L", (1000, 1000), 255).save(source)
    result = make_searchable(source, [page_of([(400, 475, ["upwards"])], angle=-90.0)])
    drawn = [c for c in characters(result, 1000, 1000) if c.text.strip()]
    assert "".join(c.text for c in drawn) == "upwards"
    half = GLYPH * len("upwards") / 2
    middle = 400 + half  # the box's centre, about which it is rotated
    for character in drawn:
        assert middle - 26 <= character.left <= character.right <= middle + 26
        assert 500 - half - 1 <= character.top <= character.bottom <= 500 + half + 1
    assert drawn[0].top > drawn[-1].top


def test_words_on_a_sloping_line_share_its_slope(tmp_path: Path) -> None:
    source = tmp_path / "blank.png"
    Image.new("L", (2000, 1000), 255).save(source)
    boxes = [Box(100 + 200 * n, 100 + 25 * n, 150, 50) for n in range(8)]
    words = [region(n, 0, Level.WORD, box, f"word{n}") for n, box in enumerate(boxes, 1)]
    line = region(0, None, Level.LINE, Box(100, 100, 1700, 250))
    page = PageResult(0, 1, "x", 90.0, (line, *words), 2000, 1000, 100)
    result = make_searchable(source, [page])
    assert_words_in_place(result, page, slack=8)
    drawn = [c for c in characters(result, 2000, 1000) if c.text.strip()]
    assert drawn[-1].bottom - drawn[0].bottom == pytest.approx(25 * 7, abs=3)
    assert max(c.bottom - c.top for c in drawn) < 110


def test_a_line_running_down_the_page_is_extracted_in_order(tmp_path: Path) -> None:
    """Tesseract finds such lines by itself, with upright boxes."""
    source = tmp_path / "a.png"
    generators.page_image(LINES).transpose(Image.Transpose.ROTATE_270).save(source, dpi=(150, 150))
    pages = list(read_document(source, sandboxed=False))
    assert {r.box.angle for r in pages[0].regions} == {0.0}
    assert text_of(make_searchable(source, pages)) == " ".join(LINES)


@pytest.mark.parametrize("skew", [-3, -2, 1, 2])
def test_lines_of_a_skewed_page_stay_whole(skew: float, tmp_path: Path) -> None:
    source = tmp_path / "a.png"
    turned = generators.page_image(LINES).rotate(skew, fillcolor=255, resample=Image.Resampling.BICUBIC)
    turned.save(source, dpi=(150, 150))
    pages = list(read_document(source, sandboxed=False))
    read = " ".join(str(pages[0].text).split())
    result = make_searchable(source, pages)
    assert text_of(result) == read
    if shutil.which("pdftotext"):
        process = subprocess.run(["pdftotext", result, "-"], capture_output=True, text=True, check=True, timeout=60)
        assert " ".join(process.stdout.split()) == read


def test_the_same_document_gives_an_identical_pdf(tmp_path: Path) -> None:
    source = generators.scanned_pdf(tmp_path / "a.pdf", ["one"])
    pages = list(read_document(source, IGNORE, sandboxed=False))
    first = make_searchable(source, pages).read_bytes()
    assert make_searchable(source, pages).read_bytes() == first


@pytest.mark.parametrize("sample", shared("samples/seed", "*.pdf"), ids=lambda path: path.name)
def test_real_documents_look_unchanged_and_get_their_words(sample: Path, tmp_path: Path) -> None:
    pages = list(read_document(sample, IGNORE, sandboxed=False))
    target = tmp_path / "a.pdf"
    searchable_pdf(sample, pages, target)
    assert ImageChops.difference(rendered(sample), rendered(target)).getbbox() is None
    words = [str(r.text) for r in pages[0].regions if r.level is Level.WORD and str(r.text).isalnum()]
    found = text_of(target)
    assert sum(word in found for word in words) > 0.97 * len(words)


@given(
    st.tuples(*[st.floats(-1000, 1000)] * 2, *[st.floats(1, 5000)] * 2),
    st.sampled_from([0, 90, 180, 270, 360, -90]),
    st.integers(1, 5000),
    st.integers(1, 5000),
)
def test_a_placement_maps_corners_to_corners(
    box: tuple[float, float, float, float], rotation: int, width: int, height: int
) -> None:
    left, bottom, right, top = box[0], box[1], box[0] + box[2], box[1] + box[3]
    place = placement((left, bottom, right, top), rotation, width, height)
    shown_at_top_left = {0: (left, top), 90: (left, bottom), 180: (right, bottom), 270: (right, top)}[rotation % 360]
    assert place.point(0, 0) == pytest.approx(shown_at_top_left)
    opposite = (left + right - shown_at_top_left[0], bottom + top - shown_at_top_left[1])
    assert place.point(width, height) == pytest.approx(opposite)


@given(st.text(max_size=12))
def test_clusters_keep_every_printable_character(text: str) -> None:
    clusters = clusters_of(text)
    shown = [c for c in text if c.isprintable() or c.isspace()]
    assert sorted(c for c in "".join(clusters) if c.isprintable()) == sorted(c for c in shown if c.isprintable())
    font = GlyphlessFont()
    assert len(font.encode(clusters)) == 4 * len(clusters)
    assert font.encode(clusters) == font.encode(clusters)


def test_a_full_font_uses_the_replacement_character() -> None:
    font = GlyphlessFont()
    pairs = [chr(0x4E00 + n // 256) + chr(0x300 + n % 100) + chr(0x1100 + n % 256) for n in range(0x10000)]
    codes = [font.encode([pair]) for pair in pairs]
    assert codes[0xFFFD] == "FFFE"
    assert set(codes[0xFFFE:]) == {"FFFF"} == {font.encode(["\ufffd"])}


def test_only_what_was_read_from_the_picture_is_added(tmp_path: Path) -> None:
    picture = picture_of("", "", "", "Postage 1,310")
    content = WHOLE_PAGE + lines("Forty boxes of cartridge paper", "Delivered on 14 March 2026")
    source = layered_pdf(tmp_path / "a.pdf", content, picture=picture)
    pages = list(read_document(source, sandboxed=False))
    words = text_of(make_searchable(source, pages)).split()
    assert sorted(words) == sorted((pages[0].text or "").split())
    assert words.count("Postage") == words.count("Forty") == 1

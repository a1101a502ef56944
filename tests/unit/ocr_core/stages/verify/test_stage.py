from __future__ import annotations

from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from inkstream import Level, PageResult, PipelineOptions, read_document
from inkstream.ocr_core.options import DrawOptions, RecognizeOptions, TextLayerOptions
from tests.layered import HEIGHT, WHOLE_PAGE, WIDTH, layered_pdf, lines, picture_of

TWO_LINES = ("Forty boxes of cartridge paper", "Delivered on 14 March 2026")
TEXT = "\n\n".join(TWO_LINES)


def read(path: Path, **more: object) -> PageResult:
    (result,) = read_document(path, PipelineOptions.model_validate(more), sandboxed=False)
    assert result.failure is None, result.failure
    return result


@pytest.mark.parametrize("rotate", [0, 180])
def test_a_layer_that_agrees_is_the_text(tmp_path: Path, rotate: int) -> None:
    result = read(layered_pdf(tmp_path / "a.pdf", lines(*TWO_LINES), rotate=rotate))
    assert (result.text, result.engine, result.confidence, result.notes) == (TEXT, "text_layer", 100, ())


def test_a_layer_on_a_page_turned_sideways_is_compared_upright(tmp_path: Path) -> None:
    result = read(layered_pdf(tmp_path / "a.pdf", lines(*TWO_LINES), rotate=90))
    assert (result.engine, result.confidence, result.notes) == ("text_layer", 100, ())


def test_a_picture_beside_the_text_is_read_and_merged(tmp_path: Path) -> None:
    picture = picture_of("", "", "", "Postage 1,310")
    result = read(layered_pdf(tmp_path / "a.pdf", WHOLE_PAGE + lines(*TWO_LINES), picture=picture))
    assert result.text == f"{TEXT}\n\nPostage 1,310"
    engines = {region.text: region.engine for region in result.regions if region.level is Level.WORD}
    assert (engines["Forty"], engines["Postage"]) == ("text_layer", "tesseract")
    assert result.engine == "tesseract+text_layer"
    assert result.notes == ("what the text layer lacks was read from the picture",)


def test_a_scan_under_the_footer_of_an_app_is_read(tmp_path: Path) -> None:
    content = WHOLE_PAGE + lines("Scanned with an app", size=8, top=10)
    result = read(layered_pdf(tmp_path / "a.pdf", content, picture=picture_of(*TWO_LINES)))
    assert result.text is not None
    assert result.text.split() == [*" ".join(TWO_LINES).split(), *["Scanned", "with", "an", "app"]]


def test_what_is_read_in_a_row_joins_its_line(tmp_path: Path) -> None:
    picture = Image.new("L", (WIDTH * 4, HEIGHT * 4), 255)
    seen = picture_of("", "Brznkowski").crop((0, 150, 600, 300))
    picture.paste(seen, (800, 38))
    result = read(layered_pdf(tmp_path / "a.pdf", WHOLE_PAGE + lines("Surname", "Born in 1971"), picture=picture))
    assert result.text == "Surname Brznkowski\n\nBorn in 1971"


@pytest.mark.parametrize(
    "unseen",
    [
        "1 g " + lines("Nobody sees these", top=100),
        lines("Nobody sees these", top=100, mode=3),
        lines("Nobody sees these", top=100, left=-300),
        lines("Nobody sees these", top=100) + "0 g 10 80 300 40 re f",
        lines("Nobody sees these", top=100) + "1 g 10 80 300 40 re f",
    ],
    ids=["white", "invisible", "off-page", "black-bar", "white-box"],
)
def test_words_that_cannot_be_seen_are_left_out_and_counted(tmp_path: Path, unseen: str) -> None:
    path = layered_pdf(tmp_path / "a.pdf", lines(*TWO_LINES) + unseen)
    result = read(path)
    assert result.text == TEXT
    assert "3 words of the text layer cannot be seen on the page: left out" in result.notes
    kept = read(path, text_layer=TextLayerOptions(invisible="keep"))
    assert kept.text == f"{TEXT}\n\nNobody sees these"
    assert "3 words of the text layer cannot be seen on the page: kept" in kept.notes


def test_a_layer_that_is_switched_off_is_not_read(tmp_path: Path) -> None:
    hidden = lines("OLD PRICE WITHDRAWN", top=100)
    result = read(layered_pdf(tmp_path / "a.pdf", lines(*TWO_LINES), hidden_content=hidden))
    assert result.text == TEXT


@pytest.mark.parametrize(
    "characters",
    [
        {code: code + 3 for code in range(0x21, 0x7C)},
        {0x30 + digit: 0x30 + digit * 7 % 10 for digit in range(1, 10)},
        {code: 0xE000 + code for code in range(0x41, 0x7B)},
    ],
    ids=["shifted", "digits", "private"],
)
def test_a_page_whose_font_has_a_wrong_map_is_read_from_its_picture(tmp_path: Path, characters: dict[int, int]) -> None:
    result = read(layered_pdf(tmp_path / "a.pdf", lines(*TWO_LINES), characters=characters))
    assert result.text == TEXT
    assert result.engine == "tesseract"
    assert any("the page was read from its picture" in note for note in result.notes), result.notes


def test_one_font_with_a_wrong_map_is_enough(tmp_path: Path) -> None:
    content = lines(TWO_LINES[0]) + lines("A longer line in another font that is quite right", font="F2", top=120)
    characters = {code: code + 3 for code in range(0x21, 0x7C)}
    result = read(layered_pdf(tmp_path / "a.pdf", content, characters=characters))
    assert result.text is not None
    assert result.text.startswith(TWO_LINES[0])


def test_a_word_with_an_unmapped_glyph_is_read_and_the_others_are_kept(tmp_path: Path) -> None:
    content = lines("The office is closed", "on the 14th day and on all days then", "until the 2nd day in May 2027")
    path = layered_pdf(tmp_path / "a.pdf", content, characters={ord("f"): 0})
    result = read(path)
    assert result.text is not None
    assert "The office is closed" in result.text
    engines = {region.text: region.engine for region in result.regions if region.level is Level.WORD}
    assert (engines["office"], engines["closed"]) == ("tesseract", "text_layer")


def test_an_earlier_ocr_that_agrees_is_labelled_and_never_certain(tmp_path: Path) -> None:
    with pypdfium2.PdfDocument(layered_pdf(tmp_path / "shown.pdf", lines(*TWO_LINES))) as shown:
        scan = shown[0].render(scale=4, grayscale=True).to_pil()
    content = WHOLE_PAGE + lines(*TWO_LINES, mode=3)
    result = read(layered_pdf(tmp_path / "a.pdf", content, picture=scan))
    assert result.text == TEXT
    assert result.engine == "earlier_ocr"
    assert result.confidence is not None
    assert 90 <= result.confidence <= 99
    assert "the text layer is an earlier OCR (100% of a sample agrees)" in result.notes


@pytest.mark.parametrize("below", [False, True])
def test_an_earlier_ocr_with_errors_is_read_anew(tmp_path: Path, below: bool) -> None:
    bad = lines("F0rty b0xe5 0f cartr1dge papcr", "De1ivered 0n l4 Mareh 2O26", mode=0 if below else 3)
    content = bad + WHOLE_PAGE if below else WHOLE_PAGE + bad
    result = read(layered_pdf(tmp_path / "a.pdf", content, picture=picture_of(*TWO_LINES)))
    assert result.text is not None
    assert result.text.split() == " ".join(TWO_LINES).split()
    assert result.engine == "tesseract"


def test_lines_and_frames_and_bullets_are_not_read(tmp_path: Path) -> None:
    graphics = "0 G 10 100 380 110 re S 10 140 m 390 140 l S 200 100 m 200 210 l S 12 60 4 4 re f 20 30 360 40 re S "
    result = read(layered_pdf(tmp_path / "a.pdf", graphics + lines(*TWO_LINES, top=185)))
    assert (result.engine, result.notes) == ("text_layer", ())


def test_the_overlay_shows_the_whole_page(tmp_path: Path) -> None:
    picture = picture_of("", "", "", "Postage 1,310")
    path = layered_pdf(tmp_path / "a.pdf", WHOLE_PAGE + lines(*TWO_LINES), picture=picture)
    drawn = read(path, draw=DrawOptions(format="png", max_side=4000))
    (tmp_path / "overlay.png").write_bytes(drawn.overlay or b"")
    top = Image.open(tmp_path / "overlay.png").convert("L").crop((80, 60, 1000, 180))
    assert np.asarray(top).min() < 64, "the words of the layer were erased from the overlay"


def test_a_layer_is_compared_by_an_engine_that_reads_lines(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    lined = RecognizeOptions(engine="ppocr")
    right = read(layered_pdf(tmp_path / "a.pdf", lines(*TWO_LINES)), recognize=lined)
    assert (right.text, right.engine) == (TEXT, "text_layer")
    characters = {code: code + 3 for code in range(0x21, 0x7C)}
    wrong = read(layered_pdf(tmp_path / "b.pdf", lines(*TWO_LINES), characters=characters), recognize=lined)
    assert wrong.engine == "ppocr"
    assert wrong.text is not None
    assert "Forty" in wrong.text


def test_scaled_pixels_are_merged_in_place(tmp_path: Path) -> None:
    picture = picture_of("", "", "", "Postage 1,310")
    path = layered_pdf(tmp_path / "a.pdf", WHOLE_PAGE + lines(*TWO_LINES), picture=picture)
    plain, scaled = read(path), read(path, preprocess={"scale": {"method": "factor", "factor": 1.5}})
    assert scaled.text == plain.text
    for one, other in zip(plain.regions, scaled.regions, strict=True):
        assert one.box.center == pytest.approx(other.box.center, abs=8)


def test_dust_on_a_page_without_words_is_not_a_layer(tmp_path: Path) -> None:
    picture = Image.new("L", (WIDTH, HEIGHT), 255)
    ImageDraw.Draw(picture).point((50, 50), 0)
    result = read(layered_pdf(tmp_path / "a.pdf", WHOLE_PAGE, picture=picture))
    assert result.text == ""


def test_a_layer_is_kept_if_the_rest_takes_too_long(tmp_path: Path) -> None:
    path = layered_pdf(tmp_path / "a.pdf", WHOLE_PAGE + lines(*TWO_LINES), picture=picture_of("", "", "", "Postage"))
    result = read(path, recognize={"time_limit": 0.001})
    assert result.text == TEXT
    assert any(note.startswith("the text layer is all that was read: ") for note in result.notes), result.notes

from __future__ import annotations

from pathlib import Path

import pikepdf

from inkstream.ocr_core.documents.opening import open_document
from inkstream.ocr_core.options import RenderOptions
from inkstream.ocr_core.text.words import LayerWord
from tests.layered import HEIGHT, WHOLE_PAGE, WIDTH, layered_pdf, lines, picture_of


def words_of(path: Path) -> list[LayerWord]:
    with open_document(path) as document:
        page = document.page(0)
        try:
            return page.words(page.canvas(RenderOptions())) or []
        finally:
            page.close()


def text_of(path: Path) -> list[str]:
    return [each.word.text for each in words_of(path)]


def test_text_that_is_drawn_twice_counts_once(tmp_path: Path) -> None:
    once = lines("Invoice 4711, aa .. 11 o~ce")
    twice = once + once.replace("20 190 Td", "20.3 190 Td")
    path = layered_pdf(tmp_path / "a.pdf", twice, characters={ord("~"): 0xFB03})
    assert text_of(path) == ["Invoice", "4711,", "aa", "..", "11", "office"]


def test_the_halves_of_a_hyphenated_word_stay_on_their_lines(tmp_path: Path) -> None:
    words = words_of(layered_pdf(tmp_path / "a.pdf", lines("the environ-", "mental report", size=10)))
    assert [each.word.text for each in words] == ["the", "environ-", "mental", "report"]
    first, second = words[1].word, words[2].word
    assert (first.block, first.line) != (second.block, second.line)
    assert first.box.bottom < second.box.top


def test_ligatures_and_letters_beyond_the_bmp_come_out_as_typed(tmp_path: Path) -> None:
    path = layered_pdf(tmp_path / "a.pdf", lines("o~ce"), characters={ord("~"): 0xFB03})
    assert text_of(path) == ["office"]
    path.write_bytes(path.read_bytes().replace(b"<7e> <fb03>", b"<7e> <d835dc65>"))
    assert text_of(path) == ["o\U0001d465ce"]


def test_a_glyph_without_a_meaning_damages_its_word_only(tmp_path: Path) -> None:
    words = words_of(layered_pdf(tmp_path / "a.pdf", lines("sound ~ords"), characters={ord("~"): 0}))
    assert [(each.word.text, each.is_damaged) for each in words] == [("sound", False), ("\ufffdords", True)]


def test_text_beneath_a_picture_and_invisible_text_are_hidden(tmp_path: Path) -> None:
    content = lines("below") + WHOLE_PAGE + lines("invisible", mode=3, top=100) + lines("seen", top=50)
    words = words_of(layered_pdf(tmp_path / "a.pdf", content, picture=picture_of("a picture")))
    assert {each.word.text: each.is_hidden for each in words} == {"below": True, "invisible": True, "seen": False}


def test_fonts_and_brightness_are_told_apart(tmp_path: Path) -> None:
    content = lines("one") + lines("two", font="F2", top=120) + "1 0 0 rg " + lines("red", top=60)
    one, two, red = words_of(layered_pdf(tmp_path / "a.pdf", content))
    assert one.font == red.font != two.font
    assert (one.gray, red.gray) == (0, 76)


def test_the_direction_of_text_follows_the_turned_page(tmp_path: Path) -> None:
    angles = {}
    for rotate in (0, 90, 270):
        (word,) = words_of(layered_pdf(tmp_path / "a.pdf", lines("word"), rotate=rotate))
        angles[rotate] = word.angle
    assert angles == {0: 0, 90: 90, 270: 270}


def test_a_picture_in_a_form_hides_the_text_beneath_it(tmp_path: Path) -> None:
    path = layered_pdf(tmp_path / "a.pdf", lines("below"), picture=picture_of("a picture"))
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        page = pdf.pages[0]
        form = pdf.make_stream(WHOLE_PAGE.encode(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form)
        form.BBox, form.Resources = [0, 0, WIDTH, HEIGHT], page.Resources
        page.add_resource(form, pikepdf.Name.XObject, pikepdf.Name.Fm)
        page.contents_add(b" /Fm Do")
        pdf.save(path)
    (word,) = words_of(path)
    assert word.is_hidden

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.stages.verify.sample import agreement, choose, cut_out, digits_in, script_of, spread, stacked
from inkstream.ocr_core.text.words import LayerWord, Word


def layer(*lines: str, font: int = 0, first: int = 0) -> list[LayerWord]:
    words = []
    for number, text in enumerate(lines, first):
        left = 0
        for each in text.split():
            box = Box(left, 40 * number, 10 * len(each), 20)
            words.append(LayerWord(Word(0, 0, number, box, each, 100.0), font=font))
            left += 10 * len(each) + 8
    return words


def test_every_font_and_the_digits_are_in_the_sample() -> None:
    words = layer(*["plain words of prose in one font"] * 20)
    words += layer("Another font in a heading", font=1, first=20)
    words += layer("4711 and 1,284.50", first=21)
    shown = {text for stretch in choose(words, 3) for text in stretch.text.split()}
    assert {"heading", "4711"} <= shown


def test_words_with_a_gap_between_them_are_read_apart() -> None:
    words = layer("Forty boxes of paper")
    (whole,) = choose(words, 4)
    assert whole.text == "Forty boxes of paper"
    assert {stretch.text for stretch in spread([words[0], words[1], words[3]], 4)} == {"Forty boxes", "paper"}


def test_a_spread_sample_comes_from_all_of_the_page() -> None:
    words = layer(*[f"line number {number}" for number in range(100)])
    tops = [stretch.box.top for stretch in spread(words, 5)]
    assert len(tops) == 5
    assert max(tops) >= 80 * 40 > 20 * 40 > min(tops)


def test_crops_are_upright_and_dark_on_light() -> None:
    pixels = np.full((200, 100), 20, np.uint8)
    pixels[50:150, 40:60] = 250
    word = LayerWord(Word(0, 0, 0, Box(40, 50, 20, 100), "sideways", 100.0), angle=90)
    (stretch,) = choose([word], 1)
    cut = cut_out(pixels, stretch)
    assert cut.shape[1] > cut.shape[0]
    assert np.median(cut) > 128


def test_stacked_pictures_keep_their_rows() -> None:
    cuts = [np.full((height, width), gray, np.uint8) for height, width, gray in ((10, 50, 0), (20, 30, 60))]
    picture, places = stacked(cuts)
    for cut, (first, last) in zip(cuts, places, strict=True):
        assert (picture[first:last] == cut[0, 0]).sum() == cut.size


@pytest.mark.parametrize(
    ("one", "other", "agrees"),
    [
        ("4711", "47 11", 1.0),
        ("Café, No. 7", "cafe no 7", 1.0),
        ("4711", "4717", 0.75),
        ("abc", "", 0.0),
        ("", "", 1.0),
    ],
)
def test_agreement_counts_letters_and_digits_only(one: str, other: str, agrees: float) -> None:
    assert agreement([(one, other)]) == pytest.approx(agrees)


def test_only_the_digits_of_numbers_are_compared() -> None:
    assert agreement([("technology.23 in 1998", "technology.” in 1998")], digits_only=True) == 1
    assert agreement([("7044", "4711")], digits_only=True) == 0
    assert digits_in(["No 12, p. 7b of the 3rd", "1,284.50"]) == 8


@given(st.lists(st.tuples(st.text(), st.text())))
def test_agreement_is_a_share_and_does_not_depend_on_the_side(pairs: list[tuple[str, str]]) -> None:
    assert 0 <= agreement(pairs) <= 1
    assert agreement(pairs) == pytest.approx(agreement([(two, one) for one, two in pairs]))
    assert agreement([(one, one) for one, _ in pairs]) == 1


def test_the_script_is_that_of_most_letters() -> None:
    assert script_of(["Привет 12", "a"]) == "CYRILLIC"
    assert script_of(["12 %"]) is None

from __future__ import annotations

from collections import Counter
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.text.merging import merge, without_overlap
from inkstream.ocr_core.text.words import Word


def line(text: str, left: float, top: float, *, block: int = 0, number: int = 0) -> list[Word]:
    words = []
    for each in text.split():
        words.append(Word(block, 0, number, Box(left, top, 10 * len(each), 20), each, 100.0))
        left += 10 * len(each) + 10
    return words


def texts(words: list[Word]) -> list[str]:
    return [
        " ".join(word.text for word in group)
        for _, group in groupby(words, key=lambda word: (word.block, word.paragraph, word.line))
    ]


def test_a_value_joins_the_label_in_its_row() -> None:
    layer = [*line("Surname", 0, 0), *line("Amount claimed", 0, 40, number=1)]
    read = [*line("Brznkowski", 400, 3), *line("3,870.00", 400, 42, number=1)]
    assert texts(merge(layer, read)) == ["Surname Brznkowski", "Amount claimed 3,870.00"]


def test_a_block_goes_below_the_line_above_it() -> None:
    layer = [*line("Minutes of the meeting", 0, 0), *line("Adjourned at noon", 0, 300, number=1)]
    read = [*line("Travel 12,400", 0, 100), *line("Postage 1,310", 0, 130, number=1)]
    wanted = ["Minutes of the meeting", "Travel 12,400", "Postage 1,310", "Adjourned at noon"]
    assert texts(merge(layer, read)) == wanted


def test_a_footer_of_the_layer_follows_a_page_that_was_read() -> None:
    read = [word for number in range(7) for word in line(f"line {number} of the letter", 0, 40 * number, number=number)]
    assert texts(merge(line("Scanned with an app", 0, 400), read))[-1] == "Scanned with an app"


def test_long_lines_of_two_columns_are_not_joined() -> None:
    layer = line("a column of text that is long enough", 0, 0)
    read = line("another column of text in a picture", 900, 0)
    assert len(texts(merge(layer, read))) == 2


def test_words_in_the_place_of_a_layers_word_are_left_out() -> None:
    layer = line("Forty boxes", 0, 0)
    assert texts(merge(layer, line("F0rty b0xes of", 2, 1))) == ["Forty boxes of"]
    assert without_overlap(line("boxes", 0, 100), layer)


boxes = st.builds(Box, st.integers(0, 500), st.integers(0, 500), st.integers(1, 60), st.integers(5, 30))
numbers = st.integers(0, 3)
words = st.builds(Word, numbers, st.just(0), numbers, boxes, st.text("ab", min_size=1), st.just(90.0))


@given(st.lists(words, max_size=12), st.lists(words, max_size=12))
def test_merging_loses_no_word_and_repeats_none(layer: list[Word], read: list[Word]) -> None:
    merged = merge(layer, read)
    kept = without_overlap(read, layer)
    assert Counter((word.text, word.box) for word in merged) == Counter((w.text, w.box) for w in [*layer, *kept])

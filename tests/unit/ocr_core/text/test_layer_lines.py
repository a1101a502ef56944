from __future__ import annotations

import random

import pytest

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.text.layer_lines import in_reading_order, numbered
from inkstream.ocr_core.text.words import LayerWord, Word


def line(text: str, left: float, top: float, angle: int = 0) -> list[LayerWord]:
    """Return a line of words whose letters are 10 wide and 20 high, turned about the page's corner."""
    words, x = [], left
    for word in text.split():
        words.append(LayerWord(Word(0, 0, 0, turned(Box(x, top, 10 * len(word), 20), angle), word, 100.0), angle=angle))
        x += 10 * len(word) + 10
    return words


def turned(box: Box, angle: int) -> Box:
    match angle:
        case 90:
            return Box(-box.bottom, box.left, box.height, box.width)
        case 180:
            return Box(-box.right, -box.bottom, box.width, box.height)
        case 270:
            return Box(box.top, -box.right, box.height, box.width)
    return box


def texts(lines: list[list[LayerWord]]) -> list[str]:
    return [" ".join(each.word.text for each in words) for words in lines]


def columns(angle: int = 0) -> list[list[LayerWord]]:
    return [line(f"column {c} row {r} of the page", 400 * c, 30 * r, angle) for c in (1, 2) for r in range(8)]


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_lines_in_any_order_are_put_in_the_order_of_the_page(angle: int) -> None:
    lines = columns(angle)
    mixed = random.Random(1).sample(lines, len(lines))
    assert texts(mixed) != texts(lines)
    assert texts(in_reading_order(mixed)) == texts(lines)
    assert texts(in_reading_order(lines[::-1])) == texts(lines)


def test_the_order_of_the_file_is_kept_where_it_is_one() -> None:
    footer = line("page 7", 400, 700)
    for lines in ([footer, *columns()], [*columns(), footer], columns()):
        assert in_reading_order(lines) == lines


def test_rows_that_the_file_draws_across_columns_are_cut_apart() -> None:
    across = [[*one, *other] for one, other in zip(columns()[:8], columns()[8:], strict=True)]
    mixed = random.Random(2).sample(across, len(across))
    assert texts(in_reading_order(mixed)) == texts(columns())


def test_words_of_a_line_keep_the_order_that_the_file_gives_them() -> None:
    """Words of right-to-left scripts begin at the right."""
    lines = [line(f"three {number} two one", 0, 30 * number)[::-1] for number in range(5)]
    assert texts(in_reading_order(lines[::-1])) == [f"one two {number} three" for number in range(5)]


def test_lines_of_another_direction_stay_where_the_file_has_them() -> None:
    side = line("turned aside", 0, -100, 90)
    found = in_reading_order([*columns()[:8][::-1], side])
    assert texts(found) == [*texts(columns()[:8]), "turned aside"]


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_a_block_ends_at_a_gap_and_where_the_direction_changes(angle: int) -> None:
    lines = [line("one", 0, 0, angle), line("two", 0, 25, angle), line("three", 0, 100, angle)]
    words = numbered([*lines, line("aside", 0, 130, (angle + 90) % 360)])
    assert [(each.word.block, each.word.line) for each in words] == [(0, 0), (0, 1), (1, 0), (2, 0)]


def test_words_without_text_are_left_out() -> None:
    nothing = LayerWord(Word(0, 0, 0, Box(0, 30, 5, 20), "", 100.0))
    assert [each.word.text for each in numbered([[nothing], line("one", 0, 60)])] == ["one"]

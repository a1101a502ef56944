"""Text laid out as on the page: nothing lost, lines in order, columns aligned, size bounded."""

from __future__ import annotations

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level
from inkstream.ocr_core.text.layout import between, compose
from inkstream.ocr_core.text.text_grid import cells, lay_out
from inkstream.ocr_core.text.words import Word
from tests.property.ocr_core.test_geometry import pages_of_words

ROW = 40
SPACING = 50

word_texts = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F, categories=["L", "N", "P"]), min_size=1)
cell_texts = st.lists(word_texts.filter(lambda text: len(text) < 9), min_size=1, max_size=3)
letter_widths = st.integers(6, 30)
space_widths = st.floats(0.01, 500)


@given(pages_of_words(), space_widths)
def test_every_word_is_laid_out_once(words: list[Word], space: float) -> None:
    assert Counter(lay_out(words, space).split()) == Counter(word.text for word in words)


@given(pages_of_words(), space_widths)
def test_the_size_of_the_grid_is_bounded(words: list[Word], space: float) -> None:
    text = lay_out(words, space)
    longest = max((len(line) for line in text.split("\n")), default=0)
    assert longest <= sum(len(word.text) + 1 for word in words) + 800 + 2 * len(words)
    assert text.count("\n") <= 2000 + len(words)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[list[str]]], list[list[Word]], bool]:
    """Draw rows of cells of a few words, aligned left or right in columns that are wide enough."""
    columns, right = draw(st.integers(2, 4)), draw(st.booleans())
    table = draw(st.lists(st.lists(cell_texts, min_size=columns, max_size=columns), min_size=2, max_size=6))
    widths = draw(st.lists(letter_widths, min_size=len(table), max_size=len(table)))
    extents = [[len(" ".join(cell)) * width for cell in row] for row, width in zip(table, widths, strict=True)]
    starts, x = [], 100
    for column in range(columns):
        widest = max(row[column] for row in extents)
        starts.append((x, x + widest))
        x += widest + 4 * ROW
    rows = []
    for number, (row, width) in enumerate(zip(table, widths, strict=True)):
        words = []
        for column, cell in enumerate(row):
            left, end = starts[column]
            at = end - extents[number][column] if right else left
            for text in cell:
                box = Box(at, 100 + number * SPACING, len(text) * width, ROW * 0.7)
                words.append(Word(number, 0, 0, box, text, 90.0))
                at += (len(text) + 1) * width
        rows.append(words)
    return table, rows, right


def width_of_cell(words: list[Word], cells_up_to: list[list[str]]) -> float:
    """Return the width on the page of the last of a row's first cells, in pixels."""
    end = sum(map(len, cells_up_to))
    cell = words[end - len(cells_up_to[-1]) : end]
    return cell[-1].box.right - cell[0].box.left


def two_rows_of_equal_width() -> tuple[list[list[list[str]]], list[list[Word]], bool]:
    """Return two rows aligned right, whose cells of the second column are equally wide, but not equally long."""
    table = [[["0"], ["00", "000000"]], [["0"], ["00", "0"]]]
    rows = [
        [
            Word(number, 0, 0, Box(x, 100 + number * SPACING, len(text) * width, ROW * 0.7), text, 90.0)
            for x, text in row
        ]
        for number, (width, row) in enumerate(
            [(8, [(108, "0"), (276, "00"), (300, "000000")]), (18, [(98, "0"), (276, "00"), (330, "0")])]
        )
    ]
    return table, rows, True


@given(tables(), st.floats(1, 100))
@example(two_rows_of_equal_width(), 1.0)
def test_columns_are_aligned(page: tuple[list[list[list[str]]], list[list[Word]], bool], space: float) -> None:
    """Where the cells of a column share both edges, either one may be kept: their letters differ in width."""
    table, rows, right = page
    lines = [line for line in lay_out([word for row in rows for word in row], space).split("\n") if line]
    assert len(lines) == len(table)
    starts: list[set[int]] = [set() for _ in table[0]]
    ends: list[set[int]] = [set() for _ in table[0]]
    for line, row in zip(lines, table, strict=True):
        at = 0
        for column, cell in enumerate(row):
            text = " ".join(cell)
            at = line.index(text, at)
            starts[column].add(at)
            at += len(text)
            ends[column].add(at)
    for column in range(1, len(starts)):
        allowed = [ends[column] if right else starts[column]]
        if len({width_of_cell(words, row[: column + 1]) for words, row in zip(rows, table, strict=True)}) == 1:
            allowed = [starts[column], ends[column]]
        assert min(map(len, allowed)) == 1, "each column has one edge"


@given(st.lists(st.tuples(word_texts, word_texts), min_size=1, max_size=12), letter_widths)
def test_two_columns_stand_side_by_side(pairs: list[tuple[str, str]], width: int) -> None:
    right = 200 + max(len(left) for left, _ in pairs) * width
    words = [
        Word(block, 0, line, Box(block * right, line * SPACING + 3 * block, len(text) * width, ROW * 0.7), text, 90.0)
        for block in (0, 1)
        for line, text in enumerate(pair[block] for pair in pairs)
    ]
    lines = lay_out(words, 8).split("\n")
    assert [tuple(line.split()) for line in lines] == pairs


@given(st.integers(2, 30))
def test_a_gap_between_lines_becomes_empty_lines(gap: int) -> None:
    """Three lines follow closely, then one `gap` lines further down."""
    tops = [0, 1, 2, 2 + gap]
    words = [Word(0, 0, line, Box(0, top * SPACING, 90, ROW), "word", 90.0) for line, top in enumerate(tops)]
    assert lay_out(words, 8) == "word\nword\nword" + "\n" * gap + "word"


def test_full_width_characters_count_twice() -> None:
    assert [cells(text) for text in ("abc", "日本", "e\u0301", "ﾊ")] == [3, 4, 1, 1]
    texts = [("日本語", "x"), ("ab", "y")]
    words = [
        Word(line, 0, 0, Box(column * 300, line * SPACING, 20 * cells(text), ROW), text, 90.0)
        for line, row in enumerate(texts)
        for column, text in enumerate(row)
    ]
    first, second = lay_out(words, 20).split("\n")
    assert cells(first.partition("x")[0]) == cells(second.partition("y")[0])


def test_no_words_give_an_empty_text() -> None:
    assert lay_out([], 8) == ""


@given(pages_of_words())
def test_words_and_spaces_of_a_line_join_to_its_text(words: list[Word]) -> None:
    spaced = compose(words, engine="x", spaces=True)
    plain = compose(words, engine="x")
    assert (spaced.text, spaced.confidence) == (plain.text, plain.confidence)
    assert [region.index for region in spaced.regions] == list(range(len(spaced.regions)))
    for line in spaced.regions:
        if line.level is not Level.LINE:
            continue
        children = [region for region in spaced.regions if region.parent == line.index]
        assert "".join(str(child.text) for child in children) == line.text
        assert all((child.text == " ") == (child.confidence is None) for child in children)
    words_only = [region for region in spaced.regions if region.text != " "]
    assert [(r.level, r.box, r.text) for r in words_only] == [(r.level, r.box, r.text) for r in plain.regions]


coordinates = st.integers(0, 500)
sides = st.integers(1, 200)
upright = st.builds(Box, coordinates, coordinates, sides, sides)


@given(upright, upright)
def test_the_gap_between_two_boxes_overlaps_neither(first: Box, second: Box) -> None:
    gap = between(first, second)
    assert gap == between(second, first)
    for box in (first, second):
        shared_x = min(gap.right, box.right) - max(gap.left, box.left)
        shared_y = min(gap.bottom, box.bottom) - max(gap.top, box.top)
        assert shared_x <= 0 or shared_y <= 0

"""Lines and reading order on random pages, skewed and in columns; crops of rotated boxes."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.pixels import cut, part
from inkstream.ocr_core.text.reading_order import Line, enclosing, group_lines, join_words, merge_intersecting, skew


def turned(box: Box, angle: float) -> Box:
    """Turn a box, and its position, about the page's origin."""
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = box.left + box.width / 2, box.top + box.height / 2
    x, y = x * cos - y * sin, x * sin + y * cos
    return Box(x - box.width / 2, y - box.height / 2, box.width, box.height, box.angle + angle)


@st.composite
def pages(draw: st.DrawFn) -> tuple[list[Box], float]:
    """Draw columns of lines of words, in reading order, and the angle at which the page was scanned."""
    height = draw(st.integers(10, 80))
    columns, lines = draw(st.integers(1, 3)), draw(st.integers(2, 6))
    boxes, left = [], 0.0
    for _ in range(columns):
        for line in range(lines):
            x = left
            for width in draw(st.lists(st.integers(3, 6), min_size=2, max_size=4)):
                rise = draw(st.floats(-0.1, 0.1)) * height
                boxes.append(Box(x, line * 1.6 * height + rise, width * height, height))
                x += (width + 0.5) * height
        left = max(box.right for box in boxes) + 2.5 * height
    return boxes, draw(st.floats(-12, 12))


@given(pages(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_reading_order_survives_skew_and_columns(page: tuple[list[Box], float], rng: random.Random) -> None:
    boxes, angle = page
    skewed = [turned(box, angle) for box in boxes]
    shuffled = rng.sample(skewed, len(skewed))
    lines = group_lines(shuffled)
    assert [box for line in lines for box in line.boxes] == skewed
    assert skew(shuffled) == pytest.approx(angle)
    for line in lines:
        around = enclosing(line.boxes)
        assert around.angle == pytest.approx(angle)
        assert join_words(line, 0.4).boxes == ((around,) if len(line.boxes) > 1 else line.boxes)


def test_a_heading_over_two_columns_is_read_first_and_a_note_below_last() -> None:
    heading, note = Box(0, 0, 900, 40), Box(0, 600, 900, 40)
    left = [Box(0, 100 + 60 * i, 400, 40) for i in range(6)]
    right = [Box(500, 100 + 60 * i, 400, 40) for i in range(6)]
    order = [line.boxes[0] for line in group_lines([*right, note, *left, heading])]
    assert order == [heading, *left, *right, note]


def test_prices_beside_items_are_read_across() -> None:
    rows = [(Box(0, 60 * i, 300, 40), Box(700, 60 * i, 90, 40)) for i in range(5)]
    lines = group_lines([box for row in rows for box in row])
    assert [line.boxes for line in lines] == rows


def test_words_far_apart_stay_apart() -> None:
    line = Line(0, (Box(0, 0, 100, 20), Box(110, 0, 100, 20), Box(400, 0, 100, 20)))
    assert [box.left for box in join_words(line, 0.4).boxes] == [0, 400]
    assert len(join_words(line, 1.0).boxes) == 3


def test_overlapping_areas_are_merged() -> None:
    merged = merge_intersecting([Box(0, 0, 100, 40), Box(10, 2, 100, 40), Box(0, 100, 100, 40)])
    assert sorted((box.left, box.top, box.width) for box in merged) == [(0, 0, 110), (0, 100, 100)]


@pytest.mark.parametrize("angle", [0.0, 1.0, -7.5, 30.0, 90.0, -90.0])
def test_a_crop_of_rotated_text_is_upright(angle: float) -> None:
    page = Image.new("L", (600, 600), 255)
    ImageDraw.Draw(page).rectangle((200, 280, 299, 319), fill=0)
    ImageDraw.Draw(page).rectangle((300, 280, 399, 319), fill=100)
    leaning = np.asarray(page.rotate(-angle, Image.Resampling.BICUBIC, fillcolor=255))
    crop = cut(leaning, Box(200, 280, 200, 40, angle))
    assert crop.shape == (40, 200)
    assert abs(crop[4:-4, 4:96].mean()) < 12
    assert crop[4:-4, 104:-4].mean() == pytest.approx(100, abs=12)


@pytest.mark.parametrize("box", [Box(-50, -50, 80, 60, 10), Box(590, 590, 40, 40), Box(5, 5, 0.2, 0.2, 45)])
def test_a_crop_beyond_the_page_repeats_its_edge(box: Box) -> None:
    crop = cut(np.full((600, 600, 3), 200, np.uint8), box)
    assert crop.shape == (max(1, round(box.height)), max(1, round(box.width)), 3)
    assert (crop == 200).all()


def test_parts_of_a_rotated_box_lie_along_it() -> None:
    box = Box(100, 100, 200, 40, 90)
    left, right = part(box, 0, 0.5), part(box, 0.5, 1)
    assert (left.width, left.angle) == (100, 90)
    assert enclosing([left, right]).to_dict() == pytest.approx(box.to_dict())

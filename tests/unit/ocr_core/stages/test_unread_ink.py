"""Ink outside the words is found in any colour, and is not confused with dust, rules or the paper's edge."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.stages.unread_ink import has_ink, has_unread_ink
from inkstream.ocr_core.text.words import Word

WORDS = ["Carriage", "paid", "in", "advance,", "no", "returns", "after", "May"]
Draw = Callable[[ImageDraw.ImageDraw], object]


def page(size: int = 48, paper: object = (246, 244, 240), also: Draw | None = None) -> tuple[Image.Image, list[Word]]:
    """Draw words one below the other, and return their boxes too."""
    image = Image.new("RGB", (30 * size, 50 * size), paper)  # type: ignore[arg-type]
    draw, font, words = ImageDraw.Draw(image), ImageFont.load_default(size=size), []
    for number, word in enumerate(WORDS):
        place = (4 * size, (4 + 3 * number) * size)
        draw.text(place, word, font=font, fill=(20, 20, 20))
        left, top, right, bottom = draw.textbbox(place, word, font=font)
        words.append(word_at(number, word, Box(left, top, right - left, bottom - top)))
    if also is not None:
        also(draw)
    return image, words


def word_at(line: int, text: str, box: Box, confidence: float = 95) -> Word:
    return Word(0, 0, line, box, text, confidence)


def grainy(image: Image.Image, sigma: float, seed: int = 0) -> np.ndarray:
    pixels = np.asarray(image).astype(float)
    return (pixels + np.random.default_rng(seed).normal(0, sigma, pixels.shape)).clip(0, 255).astype(np.uint8)


@given(
    size=st.integers(20, 40),
    sigma=st.floats(0, 12),
    missing=st.none() | st.integers(0, len(WORDS) - 1),
    gray=st.booleans(),
)
def test_a_word_outside_every_box_is_unread_ink(size: int, sigma: float, missing: int | None, gray: bool) -> None:
    image, words = page(size)
    pixels = grainy(image.convert("L") if gray else image, sigma)
    read = [word for number, word in enumerate(words) if number != missing]
    assert has_unread_ink(pixels, read) == (missing is not None)


def text(draw: ImageDraw.ImageDraw, fill: object, size: int = 48) -> None:
    draw.text((200, 1900), "Void if not paid", font=ImageFont.load_default(size=size), fill=fill)  # type: ignore[arg-type]


def inverse(draw: ImageDraw.ImageDraw) -> None:
    draw.rectangle((150, 1880, 900, 1980), fill=(0, 0, 0))
    text(draw, (255, 255, 255))


@pytest.mark.parametrize(
    "also",
    [
        lambda draw: text(draw, (205, 205, 205)),
        lambda draw: text(draw, (246, 205, 240)),
        lambda draw: text(draw, (20, 20, 20), size=28),
        inverse,
        lambda draw: draw.text((700, 2300), "7", font=ImageFont.load_default(size=48), fill=(20, 20, 20)),
    ],
    ids=["pale", "of equal brightness", "small", "white on black", "a page's number"],
)
def test_unread_text_of_any_appearance_is_found(also: Draw) -> None:
    image, words = page(also=also)
    assert has_unread_ink(grainy(image, 4), words)


@pytest.mark.parametrize(("confidence", "expected"), [(30, True), (95, False)])
def test_a_tall_word_of_low_confidence_is_still_unread(confidence: float, expected: bool) -> None:
    def headline(draw: ImageDraw.ImageDraw) -> None:
        draw.text((200, 1850), "May", font=ImageFont.load_default(size=200), fill=(20, 20, 20))

    image, words = page(also=headline)
    tall = word_at(len(words), "May", Box(200, 1850, 500, 240), confidence)
    assert has_unread_ink(grainy(image, 4), [*words, tall]) == expected


def dust(draw: ImageDraw.ImageDraw) -> None:
    rng = np.random.default_rng(3)
    for x, y in rng.integers(0, 1400, (60, 2)):
        draw.ellipse((x, y, x + 7, y + 7), fill=(60, 60, 60))


@pytest.mark.parametrize(
    "also",
    [
        dust,
        lambda draw: draw.line((100, 1900, 1300, 1900), fill=(0, 0, 0), width=5),
        lambda draw: draw.line((1350, 100, 1350, 2300), fill=(0, 0, 0), width=5),
        lambda draw: draw.rectangle((0, 0, 12, 2400), fill=(70, 70, 70)),
        lambda draw: draw.rectangle((0, 2390, 1440, 2400), fill=(70, 70, 70)),
    ],
    ids=["dust", "a rule", "an upright rule", "the left edge", "the lower edge"],
)
def test_dust_rules_and_page_edges_are_not_unread_ink(also: Draw) -> None:
    image, words = page(also=also)
    assert not has_unread_ink(grainy(image, 4), words)


def test_shading_is_not_unread_ink() -> None:
    image, words = page()
    shade = np.linspace(1.0, 0.5, image.width)[None, :, None]
    assert not has_unread_ink((np.asarray(image) * shade).astype(np.uint8), words)


@given(sigma=st.floats(0, 20), seed=st.integers(0, 5))
def test_a_blank_sheet_with_grain_dust_holes_and_a_dark_edge_has_no_ink(sigma: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    image = Image.new("L", (1700, 2200), 235)
    draw = ImageDraw.Draw(image)
    for x, y in random.integers(0, 1700, (200, 2)):
        draw.ellipse((x, y, x + 2, y + 2), fill=60)
    for y in (550, 920, 1280, 1650):
        draw.ellipse((70, y, 115, y + 45), fill=20)
    draw.rectangle((0, 0, 40, 2200), fill=0)
    assert not has_ink(grainy(image, sigma, seed))


def test_words_are_ink() -> None:
    assert has_ink(np.asarray(page()[0]))

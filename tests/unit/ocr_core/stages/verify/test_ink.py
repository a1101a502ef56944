from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.stages.verify.ink import InkMap, erased
from inkstream.ocr_core.text.words import LayerWord, Word

FONT = ImageFont.load_default(size=40)


def page(mode: str = "L") -> tuple[Image.Image, ImageDraw.ImageDraw, LayerWord]:
    """Return a page of 1200 x 800 pixels with the word `Halvorsen`, to draw more on, and the word."""
    image = Image.new(mode, (1200, 800), "white")
    draw = ImageDraw.Draw(image)
    draw.text((100, 100), "Halvorsen", font=FONT, fill="black")
    return image, draw, word_at(*draw.textbbox((100, 100), "Halvorsen", font=FONT))


def word_at(left: float, top: float, right: float, bottom: float, gray: int | None = 0) -> LayerWord:
    return LayerWord(Word(0, 0, 0, Box(left, top, right - left, bottom - top), "Halvorsen", 100.0), gray=gray)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_word_has_ink_where_something_is_drawn(mode: str) -> None:
    image, draw, word = page(mode)
    draw.rectangle((100, 400, 400, 460), fill="black")
    ink = InkMap.of(np.asarray(image))
    assert ink.has_ink(word)
    assert not ink.has_ink(word_at(100, 300, 300, 340))
    assert not ink.has_ink(word_at(120, 405, 380, 455))
    assert not ink.has_ink(word_at(-300, 100, -100, 140))
    assert not ink.has_ink(word_at(1300, 100, 1500, 140))


def test_faint_print_has_ink() -> None:
    image, draw, _ = page()
    draw.text((100, 300), "Halvorsen", font=FONT, fill=235)
    assert InkMap.of(np.asarray(image)).has_ink(word_at(*draw.textbbox((100, 300), "Halvorsen", font=FONT)))


def test_a_word_in_the_colour_of_its_ground_is_hidden() -> None:
    image, _, word = page()
    ink = InkMap.of(np.asarray(image))
    box = word.word.box
    assert not ink.hides(word)
    assert ink.hides(word_at(box.left, box.top, box.right, box.bottom, gray=255))
    assert not ink.hides(word_at(box.left, box.top, box.right, box.bottom, gray=None))


def test_only_what_may_be_text_is_other_ink() -> None:
    image, draw, word = page()
    assert not InkMap.of(np.asarray(image)).has_other_ink([word])
    draw.rectangle((60, 60, 1100, 700), outline="black", width=3)
    draw.line((60, 400, 1100, 400), fill="black", width=3)
    draw.ellipse((80, 500, 92, 512), fill="black")
    assert not InkMap.of(np.asarray(image)).has_other_ink([word])
    draw.text((700, 500), "7", font=FONT, fill="black")
    assert InkMap.of(np.asarray(image)).has_other_ink([word])


def test_small_frames_and_blurred_edges_are_no_other_ink() -> None:
    image, draw, word = page()
    for left, width in ((200, 60), (300, 90), (420, 40)):
        draw.rectangle((left, 300, left + width, 350), outline="black", width=3)
    draw.rectangle((600, 300, 640, 350), fill=120)
    blurred = Image.new("L", (1200, 800), "white")
    ImageDraw.Draw(blurred).rectangle((800, 300, 1100, 460), fill=90)
    blurred = blurred.filter(ImageFilter.GaussianBlur(2))
    image.paste(blurred.crop((780, 280, 1120, 480)), (780, 280))
    assert not InkMap.of(np.asarray(image)).has_other_ink([word])
    draw.text((215, 303), "4", font=FONT, fill="black")
    assert InkMap.of(np.asarray(image)).has_other_ink([word])


def test_a_line_is_a_line_also_where_it_leaves_the_part_with_other_ink() -> None:
    image, draw, word = page()
    box = word.word.box
    draw.line((box.right + 5, 60, box.right + 5, 300), fill="black", width=3)
    draw.line((60, box.bottom + 5, 700, box.bottom + 5), fill="black", width=3)
    assert not InkMap.of(np.asarray(image)).has_other_ink([word])


def test_erasing_leaves_the_ground() -> None:
    image, draw, word = page()
    draw.rectangle((90, 90, 400, 200), fill=30)
    draw.text((100, 100), "Halvorsen", font=FONT, fill=255)
    pixels = np.asarray(image)
    after = erased(pixels, [word.word.box])
    assert set(np.unique(after[95:195, 95:395])) == {30}
    assert pixels.max() == 255

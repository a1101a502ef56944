"""Letters on transparent ground are read whatever their colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from inkstream import PageResult, PipelineOptions, read_document
from inkstream.ocr_core.documents.transparency import LIGHT_NOTE, Ground, choose_ground, lay_on_ground
from inkstream.ocr_core.options import TextLayerOptions
from tests.generators import PANGRAM, text_image
from tests.places import shared

IGNORE = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"))


def only(path: Path) -> PageResult:
    (result,) = read_document(path, IGNORE, sandboxed=False)
    return result


def letters(gray: int, *, mode: str = "RGBA") -> Image.Image:
    """Return text of one gray on transparent ground."""
    picture = Image.new("L", (1600, 300), gray).convert(mode.removesuffix("A"))
    picture.putalpha(ImageOps.invert(text_image()))
    return picture


@pytest.mark.parametrize("suffix", ["png", "webp", "tif"])
@pytest.mark.parametrize("gray", [0, 90, 230, 255])
def test_text_of_any_gray_on_transparent_ground_is_read(tmp_path: Path, suffix: str, gray: int) -> None:
    letters(gray).save(tmp_path / f"a.{suffix}")
    result = only(tmp_path / f"a.{suffix}")
    assert (result.text, result.notes) == (PANGRAM, ())


def test_white_text_in_a_palette_with_transparency_is_read(tmp_path: Path) -> None:
    """Its outermost pixels are gray, because it was blended with black before that became transparent."""
    ImageOps.invert(text_image()).convert("P").save(tmp_path / "a.png", transparency=0)
    assert only(tmp_path / "a.png").text == PANGRAM


def test_white_text_with_a_transparent_gray_is_read(tmp_path: Path) -> None:
    ImageOps.invert(text_image()).save(tmp_path / "a.png", transparency=0)
    assert only(tmp_path / "a.png").text == PANGRAM


def test_white_text_with_a_transparent_deep_gray_is_read(tmp_path: Path) -> None:
    deep = Image.fromarray(np.asarray(ImageOps.invert(text_image()), dtype=np.uint16) * 257)
    deep.save(tmp_path / "a.png", transparency=0)
    assert only(tmp_path / "a.png").text == PANGRAM


def test_a_white_sheet_with_transparent_margins_stays_on_white() -> None:
    sheet = Image.new("LA", (1700, 2300))
    sheet.paste(text_image().convert("LA"), (50, 50))
    sheet.paste(Image.new("LA", (1600, 1900), (255, 255)), (50, 350))
    assert choose_ground(sheet) == Ground(255)


def test_an_opaque_picture_stays_on_white() -> None:
    assert choose_ground(text_image().convert("LA")) == Ground(255)
    assert choose_ground(Image.new("LA", (10, 10))) == Ground(255)


def test_light_text_beside_dark_text_gets_a_note() -> None:
    both = Image.new("LA", (1600, 600))
    both.paste(letters(0, mode="LA"), (0, 0))
    both.paste(letters(255, mode="LA"), (0, 300))
    assert choose_ground(both) == Ground(255, LIGHT_NOTE)
    flat, note = lay_on_ground(both, "L")
    assert (flat.mode, flat.getpixel((0, 0)), note) == ("L", 255, LIGHT_NOTE)


@pytest.mark.parametrize("path", shared("reports", "28_*.png"), ids=lambda path: path.name)
def test_the_reported_ticket_is_read(path: Path) -> None:
    assert (only(path).text or "").split() == "White text on transparent ground Ticket 88214 gate 7".split()  # noqa: SIM905

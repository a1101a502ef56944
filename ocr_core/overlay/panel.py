"""A second page beside the first: what was read, where it was read."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageDraw

from ocr_core.geometry import Box
from ocr_core.overlay.fonts import Font, font_for

_SHARE = 0.8
"""Height of letters, from the foot to the top of a line, in heights of the line's box."""

_LEAST = 6
"""Pixels; a smaller size cannot be read."""

_MOST_LETTERS = 500
"""Characters of one line that are drawn."""

_BLACK = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Letters:
    """How text is written.

    Attributes:
        size: Pixels; None: as large as fits.
        largest_step: Height of a line, in pixels, that counts at most: a box may be higher than its letters.
        font: Font file, see `font_for`.
    """

    size: int | None
    largest_step: float
    font: str | None


def write_in(picture: Image.Image, text: str, box: Box, letters: Letters) -> None:
    """Writes a region's text where the region is, turned as its box is, or as a tall one seems to be.

    Args:
        picture: RGB.
        text: Lines share the height of the box.
        box: Pixels of the picture.
        letters: How large.

    Raises:
        EnvironmentFault: If the font file is no font.
    """
    lines = ["".join(filter(str.isprintable, line))[:_MOST_LETTERS] for line in text.split("\n")]
    if len(lines) == 1 and len(text) > 2 and box.height > 2 * box.width:
        box = _lying(box)
    width, height = round(box.width), round(box.height)
    if width < 1 or height < 1:
        return
    if box.angle == 0:
        _write(ImageDraw.Draw(picture), (box.left, box.top), (width, height), lines, letters)
        return
    written = Image.new("L", (width, height), 0)
    _write(ImageDraw.Draw(written), (0, 0), (width, height), lines, letters)
    turned = written.rotate(-box.angle, Image.Resampling.BICUBIC, expand=True)
    left = round(box.left + box.width / 2 - turned.width / 2)
    top = round(box.top + box.height / 2 - turned.height / 2)
    picture.paste(_BLACK, (left, top), turned)


def step_of(text: str, height: float) -> float:
    """Returns the height of one of a region's lines."""
    return height / (text.count("\n") + 1)


def _lying(box: Box) -> Box:
    """Returns the same rectangle as one of a line that runs downwards."""
    left = box.left + (box.width - box.height) / 2
    top = box.top + (box.height - box.width) / 2
    return Box(left, top, box.height, box.width, box.angle + 90)


def _write(
    draw: ImageDraw.ImageDraw,
    corner: tuple[float, float],
    extent: tuple[int, int],
    lines: list[str],
    letters: Letters,
) -> None:
    step = extent[1] / len(lines)
    ink = 255 if draw.mode == "L" else _BLACK
    for number, line in enumerate(lines):
        size = letters.size or max(_LEAST, round(min(step, letters.largest_step) * _SHARE))
        font, drawn = _fitting(line, size, extent[0], letters.font)
        draw.text((corner[0], corner[1] + (number + 0.5) * step), drawn, font=font, fill=ink, anchor="lm")


def _fitting(line: str, size: int, width: int, option: str | None) -> tuple[Font, str]:
    """Returns a font in which a line is no wider than `width`, if it can be read then."""
    font, drawn = font_for(line, size, option)
    wide = font.getlength(drawn)
    if wide > width:
        font, drawn = font_for(line, max(_LEAST, int(size * width / wide)), option)
    return font, drawn

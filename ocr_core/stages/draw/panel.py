"""A second page beside the first: what was read, where it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from PIL import Image, ImageDraw

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.stages.draw.fonts import Font, font_for

_SHARE = 1.2
"""Size of letters in heights of their line's box at most: a line of capitals alone has a low one."""

_TALLEST = 1.5
"""Height, in heights of the page's ordinary lines, up to which letters grow with a box, which may hold more."""

_LEAST = 6
"""Pixels; a smaller size cannot be read."""

_MOST_LETTERS = 500
"""Characters of one line that are drawn."""

_BLACK = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A text and where it is written.

    Attributes:
        text: Its lines share the height of the box.
        box: Pixels of the picture; the text is turned as the box is.
        step: Height of the line it is from, pixels.
    """

    text: str
    box: Box
    step: float


def write_text(picture: Image.Image, lines: list[list[TextPiece]], size: int | None, option: str | None) -> None:
    """Writes the pieces of each line in letters of one size, which is near that of the page's own.

    Args:
        picture: RGB.
        lines: Pieces of one line together.
        size: Pixels; None: so that the pieces fit into their boxes, as far as that can be read.
        option: Font file, see `font_for`.

    Raises:
        EnvironmentFault: If the option is no font.
    """
    pieces = [piece for line in lines for piece in line]
    tallest = _TALLEST * median([piece.step for piece in pieces] or [0])
    for line in lines:
        upright = [_upright(piece) for piece in line]
        most = max(_LEAST, round(min(max(piece.step for piece in upright), tallest) * _SHARE))
        shared = size or round(median(_fitting(piece, most, option) for piece in upright))
        for piece in upright:
            _write(picture, piece, size or min(shared, _fitting(piece, shared, option)), option)


def _upright(piece: TextPiece) -> TextPiece:
    """Returns a text in a tall box as one of a line that runs downwards."""
    box = piece.box
    if "\n" in piece.text or len(piece.text) < 3 or box.height <= 2 * box.width:
        return piece
    left = box.left + (box.width - box.height) / 2
    top = box.top + (box.height - box.width) / 2
    return TextPiece(piece.text, Box(left, top, box.height, box.width, box.angle + 90), box.width)


def _fitting(piece: TextPiece, size: int, option: str | None) -> int:
    """Returns the size, at most `size`, in which a piece is no wider than its box, if it can be read then."""
    wide = max((font.getlength(drawn) for font, drawn in _lines(piece, size, option)), default=0)
    return size if wide <= piece.box.width else max(_LEAST, int(size * piece.box.width / wide))


def _lines(piece: TextPiece, size: int, option: str | None) -> Iterator[tuple[Font, str]]:
    for line in piece.text.split("\n"):
        yield font_for("".join(filter(str.isprintable, line))[:_MOST_LETTERS], size, option)


def _write(picture: Image.Image, piece: TextPiece, size: int, option: str | None) -> None:
    box = piece.box
    lines = list(_lines(piece, size, option))
    if box.angle == 0:
        _draw_lines(ImageDraw.Draw(picture), lines, box, _BLACK)
        return
    width, height = max(1, round(box.width)), max(1, round(box.height))
    written = Image.new("L", (width, height), 0)
    _draw_lines(ImageDraw.Draw(written), lines, Box(0, 0, width, height), 255)
    turned = written.rotate(-box.angle, Image.Resampling.BICUBIC, expand=True)
    left = round(box.left + box.width / 2 - turned.width / 2)
    top = round(box.top + box.height / 2 - turned.height / 2)
    picture.paste(_BLACK, (left, top), turned)


def _draw_lines(
    draw: ImageDraw.ImageDraw, lines: list[tuple[Font, str]], box: Box, ink: int | tuple[int, int, int]
) -> None:
    step = box.height / len(lines)
    for number, (font, text) in enumerate(lines):
        draw.text((box.left, box.top + (number + 0.5) * step), text, font=font, fill=ink, anchor="lm")

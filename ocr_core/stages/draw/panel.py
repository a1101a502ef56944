"""A panel beside the page that shows the text at the positions where it was read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from PIL import Image, ImageDraw

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.stages.draw.fonts import Font, font_for

_SHARE = 1.2
"""Largest font size, in heights of the line's box: the box of a line of capitals alone is low."""

_TALLEST = 1.5
"""Box height, in ordinary line heights, beyond which letters stop growing, since a taller box may hold more lines."""

_LEAST = 6
"""Smallest font size, pixels; anything smaller is unreadable."""

_MOST_LETTERS = 500
"""Most characters that are drawn of one line."""

_BLACK = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class TextPiece:
    """A text and its position.

    Attributes:
        text: One or more lines, which share the height of the box.
        box: Pixels of the picture; the text is rotated like the box.
        step: Height of the line that it is from, pixels.
    """

    text: str
    box: Box
    step: float


def write_text(picture: Image.Image, lines: list[list[TextPiece]], size: int | None, option: str | None) -> None:
    """Write the pieces of each line in one font size, close to that on the page.

    Args:
        picture: RGB.
        lines: The pieces of each line.
        size: Font size, pixels; None makes the pieces fit into their boxes, as long as they stay readable.
        option: Font file, see `font_for`.

    Raises:
        EnvironmentFault: If the option is not a font.
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
    """Turn a piece in a tall box into one whose line runs downwards."""
    box = piece.box
    if "\n" in piece.text or len(piece.text) < 3 or box.height <= 2 * box.width:
        return piece
    left = box.left + (box.width - box.height) / 2
    top = box.top + (box.height - box.width) / 2
    return TextPiece(piece.text, Box(left, top, box.height, box.width, box.angle + 90), box.width)


def _fitting(piece: TextPiece, size: int, option: str | None) -> int:
    """Return the largest font size up to `size` at which a piece fits its box, but never an unreadable one."""
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

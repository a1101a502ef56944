"""A page's text as an invisible PDF content stream, under the page's picture."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from inkstream.ocr_core.export.glyphless import ADVANCE, GlyphlessFont, clusters_of
from inkstream.ocr_core.export.strips import Strip, spread, strip_of
from inkstream.ocr_core.export.tree import page_tree
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import PageResult

_LEANING = 10.0
"""Degrees by which a line may lean and still be written as level words, each at its place on the line.

Readers assemble text by level lines: poppler puts letters at different heights on different lines.
"""


@dataclass(frozen=True, slots=True)
class TextPlacement:
    """The map from a page's pixels to its PDF user space: `X = a x + c y + e`, `Y = b x + d y + f`."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return a pixel's point in user space."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    def direction(self, x: float, y: float) -> tuple[float, float]:
        """Return a step in pixels as a step in user space."""
        return self.a * x + self.c * y, self.b * x + self.d * y


def placement(box: tuple[float, float, float, float], rotation: int, width: float, height: float) -> TextPlacement:
    """Return the map from a rendered page's pixels to its user space.

    Args:
        box: The visible part of the page in user space: left, bottom, right, top.
        rotation: Degrees clockwise by which viewers turn the page; a multiple of 90.
        width: Pixels of the page as shown.
        height: Pixels of the page as shown.
    """
    left, bottom, right, top = box
    across, up = right - left, top - bottom
    return {
        0: TextPlacement(across / width, 0, 0, -up / height, left, top),
        90: TextPlacement(0, up / width, across / height, 0, left, bottom),
        180: TextPlacement(-across / width, 0, 0, up / height, right, bottom),
        270: TextPlacement(0, -up / width, -across / height, 0, right, top),
    }[rotation % 360]


def text_stream(page: PageResult, place: TextPlacement, font: GlyphlessFont, font_name: str) -> bytes:
    """Return the content stream of a page's words; empty if there are none.

    Each line is a strip as high as the line, so that readers select whole lines and keep their order; each word is
    stretched to the width of its box, and the spaces to the gaps between words.

    Args:
        page: With `width` and `height`.
        place: The map from pixels to user space.
        font: Records the characters used.
        font_name: Its name in the page's resources, with the slash.
    """
    whole = Box(0, 0, page.width or 1, page.height or 1)
    lines: list[str] = []
    for block in page_tree(page):
        block.box = block.box or whole
        spread(block)
        for paragraph in block.children:
            for line in paragraph.children:
                strip = strip_of(line)
                if strip is not None:
                    lines += _shown(strip, place, font, font_name)
    return ("q\n" + "\n".join(lines) + "\nQ\n").encode("ascii") if lines else b""


def _shown(strip: Strip, place: TextPlacement, font: GlyphlessFont, font_name: str) -> Iterator[str]:
    level = 90.0 * round(strip.angle / 90)
    angle = level if abs(strip.angle - level) <= _LEANING else strip.angle
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    along, up = place.direction(cos, sin), place.direction(sin, -cos)
    step, size = math.hypot(*along), math.hypot(*up) * strip.height
    if not (step > 0 and size > 0 and math.isfinite(step * size)):
        return
    axes = (along[0] / step, along[1] / step, up[0] * strip.height / size, up[1] * strip.height / size)
    turn = " ".join(f"{value:.6f}" for value in axes)
    yield f"BT 3 Tr {font_name} {size:.4f} Tf"
    words = sorted(strip.words, key=lambda word: word[1])  # left to right; right-to-left words are in reading order
    for index, (text, start, end) in enumerate(words):
        clusters = clusters_of(text)
        if not clusters:
            continue
        middle, half = strip.at((start + end) / 2), (end - start) / 2
        x, y = place.point(middle[0] - half * cos, middle[1] - half * sin)
        natural = ADVANCE * size
        stretch = max(end - start, 0.1) * step / (len(clusters) * natural)
        yield f"{turn} {x:.3f} {y:.3f} Tm {100 * stretch:.4f} Tz <{font.encode(clusters)}> Tj"
        gap = words[index + 1][1] - end if index + 1 < len(words) else 0.0
        if gap > 0:
            yield f"{100 * gap * step / natural:.4f} Tz <{font.encode([' '])}> Tj"
    yield "ET"

"""The overlay: a picture of the page with its regions drawn."""

from __future__ import annotations

import io
from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageColor, ImageDraw

from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.options import DrawOptions, Label
from inkstream.ocr_core.page import Level, Region
from inkstream.ocr_core.stages.draw.fonts import font_for
from inkstream.ocr_core.stages.draw.labels import LabelPlacer, Quad
from inkstream.ocr_core.stages.draw.panel import TextPiece, write_text
from inkstream.ocr_core.stages.stage import WorkingPage
from inkstream.ocr_core.text.words import LEVELS

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

Color = tuple[int, int, int]

_SCALE: tuple[tuple[float, Color], ...] = ((50, (190, 40, 0)), (75, (245, 180, 0)), (95, (0, 130, 140)))
"""Colours by confidence: red, amber and teal, which colour-blind people can also tell apart (see the test)."""

_LONGEST_SIDE = {"webp": 16_383}
"""Longest side that the format allows, pixels."""

_LABEL_SHARE = {Level.WORD: 0.55}
_LABEL_SHARE_ELSEWHERE = 0.7
"""Height of a label relative to the text; smaller for words, which stand closer together."""

_SMALLEST, _LARGEST = 11, 1 / 45
"""Limits of an automatic label size: pixels at least; at most a share of the longer side."""

_BETWEEN = (160, 160, 160)
"""Colour of the line between the page and the panel."""

_WITH_TEXT = (Label.TEXT, Label.TEXT_AND_CONFIDENCE)
_WITH_CONFIDENCE = (Label.CONFIDENCE, Label.TEXT_AND_CONFIDENCE)


@dataclass(frozen=True)
class Draw:
    """A stage that draws labelled regions on the rendered page.

    Raises:
        ConfigError: If `draw.color` is not a colour.
    """

    options: DrawOptions
    name: str = "draw"
    needs: frozenset[str] = frozenset({"pixels", "regions"})
    provides: frozenset[str] = frozenset({"overlay"})

    def __post_init__(self) -> None:
        try:
            ImageColor.getrgb(self.options.color)
        except ValueError as error:
            raise ConfigError(f"draw.color: {error}") from error

    def run(self, page: WorkingPage) -> None:
        """Set `overlay` and `overlay_format`.

        Raises:
            EnvironmentFault: If `draw.font` is not a font on this machine.
        """
        if page.rendered is None:
            return
        picture = Image.fromarray(page.rendered)
        side = min(self.options.max_side, _LONGEST_SIDE.get(self.options.format, self.options.max_side))
        pages = 2 if self.options.label in _WITH_TEXT else 1
        scale = min(1.0, side / max(picture.width * pages, picture.height))
        if scale < 1:
            size = (max(1, int(picture.width * scale)), max(1, int(picture.height * scale)))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        picture = draw_regions(picture, page.regions, scale, self.options)
        buffer = io.BytesIO()  # optimising a PNG takes seconds
        picture.save(
            buffer, self.options.format.upper(), quality=self.options.quality, optimize=self.options.format == "jpeg"
        )
        page.overlay, page.overlay_format = buffer.getvalue(), self.options.format


def shown(regions: tuple[Region, ...], level: Level) -> list[Region]:
    """Return the regions of `level` without spaces; if there are none, those of the next coarser level that has any."""
    for candidate in reversed(LEVELS[: LEVELS.index(level) + 1]):
        found = [region for region in regions if region.level is candidate and not region.is_space]
        if found:
            return found
    return []


def draw_regions(picture: Image.Image, regions: tuple[Region, ...], scale: float, options: DrawOptions) -> Image.Image:
    """Return an RGB picture of the page with its regions, and next to it the text if labels show text.

    Args:
        picture: The page.
        regions: All regions; boxes in pixels of the page.
        scale: Pixels of the picture per pixel of the page.
        options: How to draw them.
    """
    gray = np.asarray(picture.convert("L"))
    drawn = picture.convert("RGB")
    chosen = shown(regions, options.level)
    colors = [color_of(region.confidence, options) for region in chosen]
    quads = [_quad(region.box, scale, options.line_width) for region in chosen]
    if options.filled:
        _fill(drawn, quads, colors, options.fill_opacity)
    draw = ImageDraw.Draw(drawn)
    for quad, color in zip(quads, colors, strict=True):
        draw.polygon(quad, outline=color, width=options.line_width)
    if options.label in _WITH_CONFIDENCE and chosen:
        _write_confidences(draw, gray, list(zip(chosen, quads, colors, strict=True)), scale, options)
    if options.label not in _WITH_TEXT:
        return drawn
    both = Image.new("RGB", (2 * drawn.width, drawn.height), "white")
    panel = Image.new("RGB", drawn.size, "white")
    for region, color in zip(chosen, colors, strict=True):
        ImageDraw.Draw(panel).polygon(grown(scaled(region.box, scale), 2).corners(), outline=color)
    write_text(panel, pieces_of(regions, chosen, scale), options.font_size, options.font)
    both.paste(panel, (drawn.width, 0))
    both.paste(drawn)
    ImageDraw.Draw(both).line((drawn.width, 0, drawn.width, drawn.height), fill=_BETWEEN)
    return both


def pieces_of(regions: tuple[Region, ...], chosen: list[Region], scale: float) -> list[list[TextPiece]]:
    """Return the texts for the panel: words by line if words are known, otherwise the chosen regions."""
    lines = {region.index: region for region in regions if region.level is Level.LINE}
    words = [r for r in regions if r.level is Level.WORD and r.parent in lines and r.text and not r.is_space]
    if words:
        return [
            [TextPiece(str(word.text), scaled(word.box, scale), lines[line].box.height * scale) for word in group]
            for line, group in groupby(words, key=lambda word: word.parent or 0)
        ]
    made = []
    for region in chosen:
        if region.text:
            step = region.box.height * scale / (region.text.count("\n") + 1)
            made.append([TextPiece(region.text, scaled(region.box, scale), step)])
    return made


def color_of(confidence: float | None, options: DrawOptions) -> Color:
    """Return a region's colour: `draw.color`, or the colour of its confidence, blended between steps of the scale."""
    if not options.color_by_confidence or confidence is None:
        return ImageColor.getrgb(options.color)[:3]
    above = bisect_right([at for at, _ in _SCALE], confidence)
    if above in (0, len(_SCALE)):
        return _SCALE[above and -1][1]
    (low, first), (high, second) = _SCALE[above - 1 : above + 1]
    share = (confidence - low) / (high - low)
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return red, green, blue


def grown(box: Box, margin: float) -> Box:
    """Return the box with `margin` extra pixels on every side, so that an outline hides no letters."""
    return Box(box.left - margin, box.top - margin, box.width + 2 * margin, box.height + 2 * margin, box.angle)


def scaled(box: Box, scale: float) -> Box:
    """Return the box in pixels of a picture that has `scale` pixels per pixel of the page."""
    return Box(box.left * scale, box.top * scale, box.width * scale, box.height * scale, box.angle)


def _quad(box: Box, scale: float, line_width: int) -> Quad:
    return grown(scaled(box, scale), line_width + 1).corners()


def _fill(picture: Image.Image, quads: list[Quad], colors: list[Color], opacity: float) -> None:
    layer = Image.new("RGB", picture.size)
    mask = Image.new("L", picture.size, 0)
    on_layer, on_mask = ImageDraw.Draw(layer), ImageDraw.Draw(mask)
    for quad, color in zip(quads, colors, strict=True):
        on_layer.polygon(quad, fill=color)
        on_mask.polygon(quad, fill=round(255 * opacity))
    picture.paste(layer, mask=mask)


def _write_confidences(
    draw: ImageDraw.ImageDraw,
    gray: Pixels,
    drawn: list[tuple[Region, Quad, Color]],
    scale: float,
    options: DrawOptions,
) -> None:
    size = options.font_size or _size_for([region for region, _, _ in drawn], scale, max(gray.shape))
    placer = LabelPlacer(gray, gap=2 + options.line_width // 2)
    padding = max(2, size // 5)
    for region, quad, color in drawn:
        if region.confidence is None:
            continue
        font, text = font_for(f"{region.confidence:.0f}", size, options.font)
        left, top, right, bottom = font.getbbox(text, anchor="ls")
        place = placer.find(quad, round(right - left) + 2 * padding, round(bottom - top) + 2 * padding)
        if place is None:
            continue
        edges = (place.left, place.top, place.left + place.width - 1, place.top + place.height - 1)
        draw.rounded_rectangle(edges, radius=padding, fill=color)
        at = (place.left + padding - left, place.top + padding - top)
        draw.text(at, text, font=font, fill=_readable_on(color), anchor="ls")


def _size_for(regions: list[Region], scale: float, longest: int) -> int:
    """Return a label's size: a share of the height of lines or words, or of the page at coarser levels."""
    level = regions[0].level
    heights = [region.box.height * scale for region in regions]
    if level in (Level.LINE, Level.WORD):
        wanted = median(heights) * _LABEL_SHARE.get(level, _LABEL_SHARE_ELSEWHERE)
    else:
        wanted = longest / 100
    return round(max(_SMALLEST, min(wanted, longest * _LARGEST)))


def _readable_on(color: Color) -> Color:
    """Return black or white, whichever contrasts more (luminance by ITU-R BT.709)."""
    red, green, blue = color
    return (0, 0, 0) if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 125 else (255, 255, 255)

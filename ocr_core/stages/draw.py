"""A picture of the page with its regions drawn: the overlay."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageDraw, ImageFont

from ocr_core.errors import ConfigError
from ocr_core.geometry import Box
from ocr_core.layout import LEVELS
from ocr_core.options import DrawOptions
from ocr_core.page import Level, Region
from ocr_core.pipeline import WorkingPage


@dataclass(frozen=True)
class Draw:
    """Draws outlines, with the confidence beside each, on the rendered page.

    Raises:
        ConfigError: If the colour is not one.
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
        """Sets `overlay` and `overlay_format`."""
        if page.rendered is None:
            return
        picture = Image.fromarray(page.rendered).convert("RGB")
        scale = min(1.0, self.options.max_side / max(picture.size))
        if scale < 1:
            size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        _outline(picture, shown(page.regions, self.options.level), scale, self.options)
        buffer = io.BytesIO()
        picture.save(buffer, self.options.format.upper(), quality=self.options.quality, optimize=True)
        page.overlay, page.overlay_format = buffer.getvalue(), self.options.format


def shown(regions: tuple[Region, ...], level: Level) -> list[Region]:
    """Picks the regions of `level`; where there are none, of the finest coarser level that has some."""
    for candidate in reversed(LEVELS[: LEVELS.index(level) + 1]):
        found = [region for region in regions if region.level is candidate]
        if found:
            return found
    return []


def _outline(picture: Image.Image, regions: list[Region], scale: float, options: DrawOptions) -> None:
    draw = ImageDraw.Draw(picture)
    color = ImageColor.getrgb(options.color)[:3]
    font = ImageFont.load_default(size=max(11, round(max(picture.size) / 130)))
    for region in regions:
        around = grown(region.box, (options.line_width + 1) / scale)
        corners = [(x * scale, y * scale) for x, y in around.corners()]
        draw.polygon(corners, outline=color, width=options.line_width)
    for region in regions:
        if region.confidence is not None:
            x, y = region.box.corners()[1]
            at = (x * scale + options.line_width + 5, y * scale - options.line_width)
            draw.text(at, f"{region.confidence:.0f}", font=font, fill=color, stroke_width=2, stroke_fill="white")


def grown(box: Box, margin: float) -> Box:
    """Returns the box with `margin` pixels more on every side, so that an outline hides no letter."""
    return Box(box.left - margin, box.top - margin, box.width + 2 * margin, box.height + 2 * margin, box.angle)

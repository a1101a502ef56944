"""Paper for the benchmarks: a sheet to write on, what a scanner makes of it, and PDF files around it.

Drawn with Pillow, its built-in font and numpy. The noise is seeded: equal calls give equal bytes.
"""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

A4_MM = (210.0, 297.0)
PAPER = 246
"""Gray level of the paper."""
INK = 38
"""Gray level of the text."""


class Sheet:
    """A gray A4 page to write on, measured in millimetres and points.

    Args:
        dpi: Pixels an inch.
    """

    def __init__(self, dpi: int) -> None:
        self.dpi = dpi
        self.image: Image.Image = Image.new("L", (self.px(A4_MM[0]), self.px(A4_MM[1])), PAPER)
        self._draw = ImageDraw.Draw(self.image)
        self._fonts: dict[float, Any] = {}

    def px(self, mm: float) -> int:
        """Return millimetres as whole pixels."""
        return round(mm / 25.4 * self.dpi)

    def paragraph(self, x: float, y: float, width: float, text: str, points: float = 10) -> float:
        """Write a paragraph, broken at `width` mm, and return the baseline after it, in mm."""
        line = ""
        for word in [*text.split(), None]:
            longer = f"{line} {word}".strip()
            if word is None or self._font(points).getlength(longer) > self.px(width):
                self._draw.text((self.px(x), self.px(y)), line, fill=INK, font=self._font(points), anchor="ls")
                y += points * 0.52
                line = word or ""
            else:
                line = longer
        return y

    def _font(self, points: float) -> Any:
        if points not in self._fonts:
            self._fonts[points] = ImageFont.load_default(size=points * self.dpi / 72)
        return self._fonts[points]


def scanned(sheet: Sheet, seed: int, *, skew: float = 0.0, noise: float = 6.0, specks: int = 120) -> Image.Image:
    """Return the sheet as an office scanner would give it: skewed, soft, grainy, unevenly lit, with dust.

    Args:
        sheet: What lies on the glass.
        seed: Same seed, same picture.
        skew: Degrees anticlockwise.
        noise: Standard deviation of the grain, in gray levels.
        specks: Number of grains of dust.
    """
    random = np.random.default_rng(seed)
    page = sheet.image.rotate(skew, Image.Resampling.BICUBIC, fillcolor=240)
    dust = ImageDraw.Draw(page)
    for x, y, radius, level in zip(
        random.integers(0, page.width, specks),
        random.integers(0, page.height, specks),
        random.gamma(2.0, sheet.dpi / 600, specks),
        random.integers(60, 200, specks),
        strict=True,
    ):
        dust.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(level))
    pixels = np.asarray(page.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    height, width = pixels.shape
    pixels = pixels + _uneven(random, width, height, 4.5)
    pixels += random.standard_normal(pixels.shape, dtype=np.float32) * np.float32(noise)
    lid = np.exp(-np.arange(width, dtype=np.float32) / (width * 0.006)) * 70  # its shadow at the left edge
    pixels -= lid[None, :]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _uneven(random: np.random.Generator, width: int, height: int, strength: float) -> np.ndarray[Any, Any]:
    """Return a slow variation of brightness over a picture, `height x width`."""
    coarse = Image.fromarray(random.standard_normal((6, 5), dtype=np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) * np.float32(strength)


def image_pdf(pages: Sequence[Image.Image], dpi: int) -> bytes:
    """Return a PDF with one gray JPEG picture a page, as a scanner writes it."""
    buffer = io.BytesIO()
    undated = time.gmtime(0)
    pages[0].save(
        buffer,
        "PDF",
        resolution=dpi,
        save_all=True,
        append_images=pages[1:],
        creationDate=undated,
        modDate=undated,
    )
    return buffer.getvalue()

"""The base class of preprocessing steps, and helpers that several of them use."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.stages.stage import MOVED, WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels


class PixelStep(ABC):
    """A stage that replaces `pixels`, and skips pages that already have text.

    Attributes:
        name: Its name in the options.
        moves: Whether it may move the page's content.
    """

    name: ClassVar[str]
    moves: ClassVar[bool] = False

    @property
    def needs(self) -> frozenset[str]:
        """Pixels."""
        return frozenset({"pixels"})

    @property
    def provides(self) -> frozenset[str]:
        """Pixels, perhaps moved."""
        return frozenset({"pixels", MOVED} if self.moves else {"pixels"})

    def run(self, page: WorkingPage) -> None:
        """Replace `pixels`, and record how they moved."""
        if page.text is None and page.pixels is not None:
            page.move(*self.change(page.pixels, page))

    @abstractmethod
    def change(self, pixels: Pixels, page: WorkingPage) -> tuple[Pixels, Affine]:
        """Return new pixels, and the map from them to `pixels`.

        Args:
            pixels: uint8, `H x W` or `H x W x 3` (RGB).
            page: Provides the resolution; must not be changed.
        """


def to_gray(pixels: Pixels) -> Pixels:
    """Return `H x W` from `H x W` or `H x W x 3` (ITU-R 601 luma)."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    return np.asarray(Image.fromarray(pixels).convert("L"))


def otsu_level(gray: Pixels) -> int:
    """Return the level that best separates dark (below it) from light (Otsu 1979); 0 if all pixels are equal."""
    counts = np.array(Image.fromarray(gray).histogram(), dtype=np.float64)
    below, total = np.cumsum(counts), counts.sum()
    sums = np.cumsum(counts * np.arange(256))
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (sums[-1] * below - sums * total) ** 2 / (below * (total - below))
    between = np.nan_to_num(between[:-1], posinf=0.0)
    return int(np.argmax(between)) + 1 if between.any() else 0


def paper_color(pixels: Pixels, without: NDArray[np.bool_] | None = None) -> tuple[int, ...]:
    """Return the median of each channel, which is the paper's colour if less than half of the page is covered.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        without: Mask of pixels to ignore, `H x W`.
    """
    channels = pixels.reshape(-1, 1 if pixels.ndim == 2 else 3)
    if without is not None:
        channels = channels[~without.ravel()]
    sample = channels[:: max(1, len(channels) // 100_000)]
    return tuple(int(value) for value in np.median(sample, axis=0))


def fill(color: tuple[int, ...]) -> int | tuple[int, ...]:
    """Return a colour as Pillow expects it: a number for gray."""
    return color[0] if len(color) == 1 else color

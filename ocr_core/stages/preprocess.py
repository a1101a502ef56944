"""Pixels to better pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ocr_core.options import BinarizeOptions
from ocr_core.pipeline import WorkingPage

if TYPE_CHECKING:
    from ocr_core.document import Pixels


@dataclass(frozen=True)
class Binarize:
    """Makes the page black (0) and white (255), `H x W`."""

    options: BinarizeOptions
    name: str = "binarize"
    needs: frozenset[str] = frozenset({"pixels"})
    provides: frozenset[str] = frozenset({"pixels"})

    def run(self, page: WorkingPage) -> None:
        """Replaces `pixels`."""
        if page.text is None and page.pixels is not None:
            page.pixels = binarize(page.pixels, self.options)


def binarize(pixels: Pixels, options: BinarizeOptions) -> Pixels:
    """Binarises a picture.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        options: Method and its parameters.

    Returns:
        uint8 `H x W`, only 0 and 255.
    """
    gray = to_gray(pixels)
    if options.method == "threshold":
        return np.where(gray >= options.threshold, np.uint8(255), np.uint8(0))
    import doxapy

    algorithm = doxapy.Binarization(getattr(doxapy.Binarization.Algorithms, options.method.upper()))
    algorithm.initialize(gray)
    result = np.empty_like(gray)
    k = -options.k if options.method == "nick" else options.k  # NICK's formula adds where the others subtract
    window = min(options.window, *gray.shape) | 1
    algorithm.to_binary(result, {} if options.method == "otsu" else {"window": window, "k": k})
    return result


def to_gray(pixels: Pixels) -> Pixels:
    """Returns `H x W` from `H x W` or `H x W x 3` (ITU-R 601 luma)."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    weights = np.array([299, 587, 114], dtype=np.uint32)
    return ((pixels @ weights + 500) // 1000).astype(np.uint8)

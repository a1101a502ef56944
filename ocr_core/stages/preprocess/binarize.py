"""Binarising: from gray to black and white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from PIL import Image, ImageFilter

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.options import BinarizeOptions
from inkstream.ocr_core.stages.preprocess.step import PixelStep, to_gray
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

DOXA = {
    "otsu": "OTSU",
    "sauvola": "SAUVOLA",
    "wolf": "WOLF",
    "nick": "NICK",
    "isauvola": "ISAUVOLA",
    "singh": "TRSINGH",
}
"""Methods that doxapy implements, with their names there."""


@dataclass(frozen=True)
class Binarize(PixelStep):
    """A step that makes the page black (0) and white (255), `H x W`."""

    options: BinarizeOptions
    name: ClassVar[str] = "binarize"

    def change(self, pixels: Pixels, page: WorkingPage) -> tuple[Pixels, Affine]:  # noqa: ARG002
        """Return black and white pixels; nothing moves."""
        return binarize(pixels, self.options), Affine()


def binarize(pixels: Pixels, options: BinarizeOptions) -> Pixels:
    """Binarise a picture.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        options: Method and its parameters.

    Returns:
        uint8 `H x W`, only 0 and 255.
    """
    gray = to_gray(pixels)
    if options.method != "threshold" and gray.min() == gray.max():
        return _white(gray >= 128)  # some formulas divide by the contrast, which is 0 here
    if options.method == "threshold":
        return _white(gray >= options.threshold)
    if options.method in DOXA:
        return _doxa(gray, options)
    around = Image.fromarray(gray).filter(_blur(options))
    return _white(gray >= np.asarray(around, dtype=np.float32) - np.float32(options.offset))


def _white(light: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Pixels:
    return np.where(light, np.uint8(255), np.uint8(0))


def _blur(options: BinarizeOptions) -> ImageFilter.Filter:
    if options.method == "mean":
        return ImageFilter.BoxBlur((options.window - 1) / 2)
    # The sigma that OpenCV's adaptiveThreshold derives from a block size, so that the same values mean the same.
    return ImageFilter.GaussianBlur(0.3 * ((options.window - 1) * 0.5 - 1) + 0.8)


def _doxa(gray: Pixels, options: BinarizeOptions) -> Pixels:
    import doxapy

    algorithm = doxapy.Binarization(getattr(doxapy.Binarization.Algorithms, DOXA[options.method]))
    algorithm.initialize(gray)
    result = np.empty_like(gray)
    k = -options.k if options.method == "nick" else options.k  # NICK's formula adds where the others subtract
    window = min(options.window, *gray.shape) | 1
    algorithm.to_binary(result, {} if options.method == "otsu" else {"window": window, "k": k})
    return result

"""Improving the pixels: one module per step, each optional, in the order of `steps`.

The order is not an option; `docs/decisions` explains it.
"""

from __future__ import annotations

from collections.abc import Iterator

from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.stages.preprocess.binarize import Binarize
from inkstream.ocr_core.stages.preprocess.border import RemoveBorder
from inkstream.ocr_core.stages.preprocess.denoise import Denoise
from inkstream.ocr_core.stages.preprocess.deskew import Deskew
from inkstream.ocr_core.stages.preprocess.orient import Orient
from inkstream.ocr_core.stages.preprocess.scale import Scale
from inkstream.ocr_core.stages.preprocess.step import PixelStep

__all__ = [
    "Binarize",
    "Denoise",
    "Deskew",
    "Orient",
    "PixelStep",
    "RemoveBorder",
    "Scale",
    "steps",
]


def steps(options: PipelineOptions) -> Iterator[PixelStep]:
    """Yield the steps that the options enable, ordered so that each can rely on those before it."""
    chosen, budget = options.preprocess, options.render.max_pixels
    if chosen.border:
        yield RemoveBorder(chosen.border)
    if chosen.denoise:
        yield Denoise(chosen.denoise)
    if chosen.orient:
        yield Orient(chosen.orient, options.recognize)
    if chosen.deskew:
        yield Deskew(chosen.deskew, budget)
    if chosen.scale:
        yield Scale(chosen.scale, budget)
    if chosen.binarize:
        yield Binarize(chosen.binarize)

"""Removing the dark border around the paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.options import BorderOptions
from inkstream.ocr_core.stages.preprocess.components import find_components
from inkstream.ocr_core.stages.preprocess.step import PixelStep, paper_color, to_gray
from inkstream.ocr_core.stages.stage import WorkingPage

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

_SIDE = 800
"""Longer side of the reduced copy, pixels: letters become gray threads in it, borders stay dark."""

_THREAD = 5
"""Pixels of the reduced copy; anything thinner is text or a rule, not a border."""

_MOST = 0.02
"""Largest share of paper in a row or column that is cut off."""


@dataclass(frozen=True)
class RemoveBorder(PixelStep):
    """A step that removes the dark border around the paper."""

    options: BorderOptions
    name: ClassVar[str] = "border"
    moves: ClassVar[bool] = True

    def change(self, pixels: Pixels, page: WorkingPage) -> tuple[Pixels, Affine]:  # noqa: ARG002
        """Return the page without its border."""
        return remove_border(pixels, self.options)


def remove_border(pixels: Pixels, options: BorderOptions) -> tuple[Pixels, Affine]:
    """Paint dark borders in the paper's colour and cut off rows and columns that are all border.

    A border is dark, thicker than letters, and touches the page's edge.

    Args:
        pixels: uint8, `H x W` or `H x W x 3` (RGB).
        options: How dark a border is, and whether to cut it off.

    Returns:
        The paper, and the map from it to `pixels`; the page itself if it has no border, or is all border.
    """
    border = _find_border(to_gray(pixels), options.level)
    if not border.any() or border.all():
        return pixels, Affine()
    cleaned = pixels.copy()
    cleaned[border] = paper_color(pixels, without=border)
    if not options.crop:
        return cleaned, Affine()
    (top, bottom), (left, right) = (_kept(border.mean(axis=axis)) for axis in (1, 0))
    return np.ascontiguousarray(cleaned[top:bottom, left:right]), Affine(c=left, f=top)


def _kept(share: NDArray[np.float64]) -> tuple[int, int]:
    """Return the first row (or column) with paper, and the one after the last."""
    paper = np.flatnonzero(share < 1 - _MOST)
    return (int(paper[0]), int(paper[-1]) + 1) if len(paper) else (0, len(share))


def _find_border(gray: Pixels, level: int) -> NDArray[np.bool_]:
    """Return a mask of the border, `H x W`."""
    picture = Image.fromarray(gray)
    factor = max(1, round(max(picture.size) / _SIDE))
    dark = picture.reduce(factor).point([255 if value < level else 0 for value in range(256)])
    fenced = Image.new("L", (dark.width + 2 * _THREAD, dark.height + 2 * _THREAD), 255)
    fenced.paste(dark, (_THREAD, _THREAD))  # so that a thin border at the edge counts as thick
    thick = fenced.filter(ImageFilter.MinFilter(_THREAD)).filter(ImageFilter.MaxFilter(_THREAD))
    ink = np.asarray(thick) > 0
    found = find_components(ink)
    outside = np.zeros(ink.size, np.uint8)
    outside[found.pixels_of(np.arange(len(found.area)) == found.label[0])] = 255
    inner = outside.reshape(ink.shape)[_THREAD:-_THREAD, _THREAD:-_THREAD]
    grown = Image.fromarray(inner).filter(ImageFilter.MaxFilter(3))  # to cover the gray pixels at its rim
    full = grown.resize((dark.width * factor, dark.height * factor), Image.Resampling.NEAREST)
    return np.asarray(full)[: gray.shape[0], : gray.shape[1]] > 0

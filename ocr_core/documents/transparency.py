"""The ground that a picture with transparent parts is laid on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LIGHT_NOTE = "light parts of the picture lie on transparent ground and do not show on white"

_LONGEST = 1200
"""Longer side, in pixels, of the reduced copy that decides."""
_OPAQUE = 128
_LIGHT = 180
"""Gray from which on a stroke is hard to see on white."""
_BESIDE = 3
"""Pixels: what is nearer than that to a transparent pixel lies on the ground. The outermost pixels of letters may be
gray, because they were blended with another ground, so the next ones count as well."""
_STROKES = 0.05
"""Share of the light pixels that lie on the ground: more for letters, less for a sheet of paper."""
_MOST, _MANY = 0.65, 0.35
"""Share of light pixels, among those on the ground, from which on it is black, or a note says what white hides."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What a picture is laid on.

    Attributes:
        gray: 255 or 0.
        note: What is lost on it; None if nothing is.
    """

    gray: int
    note: str | None = None


def choose_ground(picture: Image.Image) -> Ground:
    """Return white ground, or black if white letters on transparent ground are all that the picture shows.

    Only pixels near transparent ones count: a sheet of white paper with dark words looks right on any ground.

    Args:
        picture: Mode `RGBA` or `LA`.
    """
    every = max(1, math.ceil(max(picture.size) / _LONGEST))
    small = np.asarray(picture.convert("LA"))[::every, ::every]
    gray, opaque = small[..., 0], small[..., 1] >= _OPAQUE
    on_ground = opaque & _grown(~opaque)
    light = opaque & (gray >= _LIGHT)
    every_stroke, light_strokes = np.count_nonzero(on_ground), np.count_nonzero(on_ground & light)
    if not light_strokes or light_strokes < _STROKES * np.count_nonzero(light):
        return Ground(255)
    if light_strokes >= _MOST * every_stroke:
        return Ground(0)
    return Ground(255, LIGHT_NOTE if light_strokes >= _MANY * every_stroke else None)


def lay_on_ground(picture: Image.Image, mode: str) -> tuple[Image.Image, str | None]:
    """Return a picture on the ground that shows it, and a note if that ground does not show all of it.

    Args:
        picture: Any mode with an alpha channel or a transparent colour.
        mode: `L` or `RGB`.
    """
    with_alpha = picture.convert("RGBA")
    ground = choose_ground(with_alpha)
    below = Image.new("RGBA", with_alpha.size, (ground.gray, ground.gray, ground.gray, 255))
    below.alpha_composite(with_alpha)
    return below.convert(mode), ground.note


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return a mask with `_BESIDE` pixels more on every side."""
    grown = mask.copy()
    for _ in range(_BESIDE):
        before = grown.copy()
        grown[1:] |= before[:-1]
        grown[:-1] |= before[1:]
        grown[:, 1:] |= before[:, :-1]
        grown[:, :-1] |= before[:, 1:]
    return grown

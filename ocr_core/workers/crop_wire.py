"""The format of line crops between processes: a list of shapes, and all pixels as one byte string."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

CROPS_MOST = 200 << 20
"""Most bytes that the crops of one page may have."""


def pack_crops(crops: Sequence[Pixels]) -> tuple[list[list[int]], bytes]:
    """Return the shapes of crops, and their pixels as one byte string."""
    return [list(crop.shape) for crop in crops], b"".join(crop.tobytes() for crop in crops)


def unpack_crops(shapes: Any, blob: bytes) -> list[Pixels]:
    """Rebuild crops from the result of `pack_crops`.

    Raises:
        ValueError: If the shapes are malformed or do not match the pixels.
    """
    import numpy as np

    sound = isinstance(shapes, list) and all(
        isinstance(shape, list)
        and (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3))
        and all(type(side) is int and side > 0 for side in shape)
        for shape in shapes
    )
    if not sound or sum(math.prod(shape) for shape in shapes) != len(blob):
        raise ValueError("not the crops of a page")
    crops, start = [], 0
    for shape in shapes:
        size = math.prod(shape)
        crops.append(np.frombuffer(blob, np.uint8, size, start).reshape(shape))
        start += size
    return crops

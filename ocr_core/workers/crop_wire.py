"""Pictures of lines as they travel between processes: their shapes, and their pixels in one piece."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels

CROPS_MOST = 200 << 20
"""Bytes that the crops of one page may have."""


def pack_crops(crops: Sequence[Pixels]) -> tuple[list[list[int]], bytes]:
    """Returns the shapes of crops and their pixels in one piece."""
    return [list(crop.shape) for crop in crops], b"".join(crop.tobytes() for crop in crops)


def unpack_crops(shapes: Any, blob: bytes) -> list[Pixels]:
    """Rebuilds what `pack_crops` gave.

    Raises:
        ValueError: If it is something else.
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

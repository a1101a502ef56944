"""Which of the images in a file are pages. Previews, smaller copies and masks of a page are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL import Image

_NEW_SUBFILE_TYPE, _SUBFILE_TYPE = 254, 255
_REDUCED, _MASK = 1, 4
"""Bits of a TIFF's NewSubfileType."""
_OLD_REDUCED = 2
"""The older SubfileType of a reduced copy."""


def is_tiff_page(image: Image.Image) -> bool:
    """Return whether the current frame of an open TIFF is a page, not a smaller copy or a mask of one."""
    tags = getattr(image, "tag_v2", {})
    if _number(tags.get(_NEW_SUBFILE_TYPE)) & (_REDUCED | _MASK):
        return False
    return _number(tags.get(_SUBFILE_TYPE)) != _OLD_REDUCED


def count_pictures(image: Image.Image) -> int:
    """Return how many pictures an opened image file has.

    Phones add previews and gain maps to a JPEG. They are smaller than the first picture, and are not counted.
    """
    frames = int(getattr(image, "n_frames", 1))
    if image.format != "MPO":
        return frames
    first, others = image.size, 0
    for number in range(1, frames):
        try:
            image.seek(number)
        except (OSError, SyntaxError, ValueError, EOFError):
            continue
        others += image.size == first
    image.seek(0)
    return 1 + others


def _number(value: Any) -> int:
    if isinstance(value, tuple) and value:
        value = value[0]
    return value if isinstance(value, int) else 0

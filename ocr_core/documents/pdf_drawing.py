"""How a PDF page draws its characters: font, colour, direction, and whether they can be seen at all."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypdfium2 import raw

if TYPE_CHECKING:
    import pypdfium2

_INVISIBLE = {raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP}
_DEEPEST = 5
"""Levels of forms within forms that are looked into."""

Extent = tuple[float, float, float, float]
"""Left, bottom, right and top in page units."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a piece of text is drawn.

    Attributes:
        font: Number of its font, unique within the page.
        angle: Direction of the text, degrees clockwise: 0, 90, 180 or 270; without the page's own rotation.
        gray: Brightness of its colour, 0-255; None if it has none of its own.
        is_invisible: Whether it leaves no mark.
        covers: Pictures that are drawn over it or beside it later.
    """

    font: int
    angle: int
    gray: int | None
    is_invisible: bool
    covers: tuple[Extent, ...]

    def hides(self, extent: Extent) -> bool:
        """Return whether a character of this text, at this place, cannot be seen."""
        x, y = (extent[0] + extent[2]) / 2, (extent[1] + extent[3]) / 2
        return self.is_invisible or any(c[0] <= x <= c[2] and c[1] <= y <= c[3] for c in self.covers)


_PLAIN = Drawing(0, 0, None, False, ())


class Drawings:
    """The drawings of a page's characters, looked up once for each piece of text.

    Args:
        page: The page.
        text_page: Its text.
    """

    def __init__(self, page: pypdfium2.PdfPage, text_page: Any) -> None:
        self._text_page = text_page
        self._covers = _covers(page)
        self._known: dict[int, Drawing] = {}
        self._fonts: dict[int, int] = {}

    def of(self, index: int) -> Drawing:
        """Return how a character is drawn."""
        piece = raw.FPDFText_GetTextObject(self._text_page, index)
        if not piece:
            return _PLAIN
        key = _address(piece)
        if key not in self._known:
            self._known[key] = self._look_up(piece, key, index)
        return self._known[key]

    def _look_up(self, piece: Any, key: int, index: int) -> Drawing:
        font = self._fonts.setdefault(_address(raw.FPDFTextObj_GetFont(piece)), len(self._fonts))
        turned = math.degrees(raw.FPDFText_GetCharAngle(self._text_page, index))
        red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
        has_colour = raw.FPDFText_GetFillColor(self._text_page, index, red, green, blue, alpha)
        mode = raw.FPDFTextObj_GetTextRenderMode(piece)
        is_filled = has_colour and mode == raw.FPDF_TEXTRENDERMODE_FILL
        gray = round(0.299 * red.value + 0.587 * green.value + 0.114 * blue.value) if is_filled else None
        invisible = mode in _INVISIBLE or bool(is_filled and alpha.value == 0)
        return Drawing(font, round(turned / 90) * 90 % 360, gray, invisible, self._covers.get(key, ()))


def _covers(page: pypdfium2.PdfPage) -> dict[int, tuple[Extent, ...]]:
    """Return, for each piece of text, the opaque pictures that are drawn after it."""
    texts: list[int] = []
    covers: dict[int, tuple[Extent, ...]] = {}
    for kind, item, extent in _objects(page.raw, 0):
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            texts.append(_address(item))
        elif extent is not None:
            covers.update({text: (*covers.get(text, ()), extent) for text in texts})
    return covers


def _objects(container: Any, depth: int) -> Iterator[tuple[int, Any, Extent | None]]:
    """Yield the kind of each piece of text and opaque picture in drawing order, with the picture's extent."""
    count, get = (
        (raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject)
        if depth
        else (raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject)
    )
    for number in range(count(container)):
        item = get(container, number)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            yield kind, item, None
        elif kind == raw.FPDF_PAGEOBJ_IMAGE and depth == 0:
            yield kind, item, _extent_of_opaque(item)
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
            yield from _objects(item, depth + 1)


def _extent_of_opaque(picture: Any) -> Extent | None:
    edges = [ctypes.c_float() for _ in range(4)]
    if raw.FPDFPageObj_HasTransparency(picture) or not raw.FPDFPageObj_GetBounds(picture, *edges):
        return None
    left, bottom, right, top = (edge.value for edge in edges)
    return left, bottom, right, top


def _address(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0

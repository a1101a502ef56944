"""How a PDF page draws its characters: font, colour, direction, and whether they can be seen at all."""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pypdfium2 import raw

from inkstream.ocr_core.documents.pdf_objects import PageObject, page_objects

if TYPE_CHECKING:
    import pypdfium2

_INVISIBLE = {raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP}

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
        covers: Opaque pictures that are drawn over it, or over a part of it.
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
        self._pictures: list[Extent] = []  # the opaque ones, in the order in which they are drawn
        self._texts: dict[int, tuple[PageObject, int]] = {}  # with the number of those that are drawn before it
        for each in page_objects(page):
            if each.kind == raw.FPDF_PAGEOBJ_TEXT:
                self._texts[_address(each.handle)] = (each, len(self._pictures))
            elif each.kind == raw.FPDF_PAGEOBJ_IMAGE and not raw.FPDFPageObj_HasTransparency(each.handle):
                extent = _extent_of(each)
                self._pictures += [extent] if extent else []
        self._known: dict[int, Drawing] = {}
        self._fonts: dict[int, int] = {}
        self._colour = tuple(ctypes.c_uint() for _ in range(4))

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
        red, green, blue, alpha = self._colour
        has_colour = raw.FPDFText_GetFillColor(self._text_page, index, red, green, blue, alpha)
        mode = raw.FPDFTextObj_GetTextRenderMode(piece)
        is_filled = has_colour and mode == raw.FPDF_TEXTRENDERMODE_FILL
        gray = round(0.299 * red.value + 0.587 * green.value + 0.114 * blue.value) if is_filled else None
        invisible = mode in _INVISIBLE or bool(is_filled and alpha.value == 0)
        return Drawing(font, round(turned / 90) * 90 % 360, gray, invisible, self._over(key))

    def _over(self, key: int) -> tuple[Extent, ...]:
        """Return the opaque pictures that are drawn over a piece of text, or a part of it."""
        if key not in self._texts:
            return ()
        text, before = self._texts[key]
        later = self._pictures[before:]
        own = _extent_of(text) if later else None
        if own is None:
            return ()
        return tuple(over for over in later if _overlap(own, over))


def _extent_of(item: PageObject) -> Extent | None:
    corners = item.corners()
    if corners is None:
        return None
    across, up = zip(*corners, strict=True)
    return min(across), min(up), max(across), max(up)


def _overlap(one: Extent, other: Extent) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]


def _address(pointer: Any) -> int:
    return ctypes.c_void_p.from_buffer(pointer).value or 0

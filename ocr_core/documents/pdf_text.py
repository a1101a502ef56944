"""The text layer of a PDF page, as words with boxes."""

from __future__ import annotations

import ctypes
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import median
from typing import TYPE_CHECKING, Any

from pypdfium2 import raw

from inkstream.ocr_core.documents.pdf_drawing import Drawing, Drawings, Extent
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.text.characters import as_typed, is_suspect
from inkstream.ocr_core.text.layer_lines import in_reading_order, numbered
from inkstream.ocr_core.text.words import LayerWord, Word

if TYPE_CHECKING:
    import pypdfium2

    from inkstream.ocr_core.documents.document import Canvas

ENGINE = "text_layer"
EARLIER_OCR = "earlier_ocr"
"""Names, in place of an engine, of what reads a text that the page draws, and of a hidden text beneath a picture."""

_LINE_BREAKS = {0x0A, 0x0D}
_LAST_HYPHENS = {0x02, 0xFFFE}
"""What PDFium returns for a hyphen at the end of a line, between the halves of a word."""

_NOWHERE: frozenset[int] = frozenset()
_SAME_PLACE = 0.1
"""Side of a cell, in usual heights: of equal characters in one cell or neighbouring ones, one is drawn again."""

_MOST_SUSPECT = 0.05
"""Share of unexplained characters above which a text layer is not used."""


@dataclass(frozen=True, slots=True)
class _Character:
    """One character, or the end of a word or of a line.

    Attributes:
        text: What a person would type: perhaps several characters, or none. A space or a newline for an end.
        extent: Position in page units; None for an end.
        drawing: How it is drawn; None for an end.
        is_damaged: Whether its font does not say which character it is.
    """

    text: str
    extent: Extent | None = None
    drawing: Drawing | None = None
    is_damaged: bool = False


_WORD_END, _LINE_END = _Character(" "), _Character("\n")


def usable(words: list[LayerWord], min_chars: int) -> bool:
    """Return whether a text layer can be used without a look at the picture.

    It cannot if it has fewer than `min_chars` visible characters, or if its fonts do not explain more than one in
    twenty of them.
    """
    characters = "".join(each.word.text for each in words)
    suspect = sum(map(is_suspect, characters))
    return bool(characters) and len(characters) >= min_chars and suspect <= _MOST_SUSPECT * len(characters)


def extract_words(page: pypdfium2.PdfPage, canvas: Canvas) -> list[LayerWord] | None:
    """Return the words of an open page in reading order.

    A character that is drawn again at the same place, as some programs do for bold print, counts once.

    Args:
        page: The page.
        canvas: The size of the page in the pixels that the boxes are in.

    Returns:
        Words with confidence 100, with lines grouped into blocks by the space between them; None without text.
    """
    text_page = page.get_textpage()
    try:
        count = text_page.count_chars()
        if not count:
            return None
        drawings = Drawings(page, text_page.raw)
        lines = _lines(_without_copies(list(_characters(text_page.raw, count, drawings))))
    finally:
        text_page.close()
    turned = page.get_rotation()
    placed = [[_placed(page, word, canvas, turned) for word in line] for line in lines]
    return numbered(in_reading_order(placed)) or None


def _characters(text_page: Any, count: int, drawings: Drawings) -> Iterator[_Character]:
    """Yield the characters, a pair of surrogates as one, and the ends of words and lines."""
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    is_pair = False
    for index in range(count):
        if is_pair:
            is_pair = False
            continue
        code = raw.FPDFText_GetUnicode(text_page, index)
        if 0xD800 <= code < 0xDC00 and index + 1 < count:
            low = raw.FPDFText_GetUnicode(text_page, index + 1)
            if is_pair := 0xDC00 <= low < 0xE000:
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
        if code in _LINE_BREAKS:
            yield _LINE_END
        elif _is_space(code) or not raw.FPDFText_GetCharBox(text_page, index, left, right, bottom, top):
            yield _WORD_END
        else:
            extent = (left.value, bottom.value, right.value, top.value)
            is_unmapped = raw.FPDFText_HasUnicodeMapError(text_page, index) == 1
            yield _drawn(code, extent, drawings.of(index), is_unmapped)
            if code in _LAST_HYPHENS:
                yield _LINE_END


def _is_space(code: int) -> bool:
    return code < 0xD800 and chr(code).isspace()


def _drawn(code: int, extent: Extent, drawing: Drawing, is_unmapped: bool) -> _Character:
    if code == 0 and (extent[2] <= extent[0] or extent[3] <= extent[1]):
        return _WORD_END
    text, is_known = _text_of(code)
    return _Character(text, extent, drawing, is_unmapped or not is_known)


@lru_cache(maxsize=10_000)
def _text_of(code: int) -> tuple[str, bool]:
    """Return what a person would type for a code point, and whether the code point means anything."""
    text = "-" if code in _LAST_HYPHENS else as_typed(code)
    is_known = not any(map(is_suspect, text))
    return text if is_known or code >= 0x20 else "\ufffd", is_known


def _without_copies(characters: list[_Character]) -> Iterator[_Character]:
    """Leave out each character that is drawn where an equal one was drawn before.

    The letters of one ligature have one place, too: they follow each other, and are kept or left out together.
    """
    heights = [each.extent[3] - each.extent[1] for each in characters if each.extent]
    cell = max(_SAME_PLACE * median(heights), 0.01) if heights else 1.0
    seen: dict[tuple[str, int], set[int]] = {}
    before, is_copy = None, False
    for character in characters:
        if character.extent is not None and character.extent != before:
            left, bottom, right, top = character.extent
            column, row = int((left + right) / 2 // cell), int((bottom + top) / 2 // cell)
            is_copy = any(
                not seen.get((character.text, near), _NOWHERE).isdisjoint((column - 1, column, column + 1))
                for near in (row - 1, row, row + 1)
            )
            seen.setdefault((character.text, row), set()).add(column)
        before = character.extent
        if character.extent is None or not is_copy:
            yield character


def _lines(characters: Iterable[_Character]) -> list[list[list[_Character]]]:
    """Return the lines as words, and these as characters; at least one in each."""
    lines: list[list[list[_Character]]] = []
    is_new_line = is_new_word = True
    for character in characters:
        if character.extent is None:
            is_new_word = True
            is_new_line = is_new_line or character is _LINE_END
            continue
        if is_new_line:
            lines.append([])
        if is_new_word or is_new_line:
            lines[-1].append([])
        lines[-1][-1].append(character)
        is_new_line = is_new_word = False
    return lines


def _placed(page: pypdfium2.PdfPage, characters: list[_Character], canvas: Canvas, turned: int) -> LayerWord:
    """Return a word with its pixel box, which follows the page's own rotation and crop."""
    lefts, bottoms, rights, tops = zip(*(each.extent for each in characters if each.extent), strict=True)
    first = _to_device(page.raw, canvas, min(lefts), max(tops))
    second = _to_device(page.raw, canvas, max(rights), min(bottoms))
    (x1, x2), (y1, y2) = (sorted(pair) for pair in zip(first, second, strict=True))
    text = unicodedata.normalize("NFC", "".join(each.text for each in characters))
    word = Word(0, 0, 0, Box(x1, y1, max(1, x2 - x1), max(1, y2 - y1)), text, 100.0)
    drawing = characters[0].drawing
    assert drawing is not None
    hidden = sum(each.drawing.hides(each.extent) for each in characters if each.drawing and each.extent)
    return LayerWord(
        word,
        drawing.font,
        (drawing.angle + turned) % 360,
        drawing.gray,
        2 * hidden > len(characters),
        any(each.is_damaged for each in characters),
    )


def _to_device(page: Any, canvas: Canvas, x: float, y: float) -> tuple[int, int]:
    device_x, device_y = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, canvas.width, canvas.height, 0, x, y, device_x, device_y)
    return device_x.value, device_y.value

"""The text layer of a PDF page, as words with boxes."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pypdfium2 import raw

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.text.reading_order import enclosing
from inkstream.ocr_core.text.words import Word

if TYPE_CHECKING:
    import pypdfium2

    from inkstream.ocr_core.documents.document import Canvas

ENGINE = "text_layer"

_LINE_BREAKS = {0x0A, 0x0D}
_SOFT_HYPHENS = {0x02, 0xAD, 0xFFFE}
"""What PDFium returns for a hyphen at the end of a line."""

_BLOCK_GAP = 1.0
"""Empty space between two lines, in line heights, at which a new block begins."""

_MOST_SUSPECT = 0.05
"""Share of unmapped characters above which a text layer is not used."""


@dataclass(slots=True)
class _PdfWord:
    """One word while it is collected: characters and the extent (left, bottom, right, top) in page units."""

    characters: list[str] = field(default_factory=list)
    extent: list[float] = field(default_factory=list)


def usable(words: list[Word], min_chars: int) -> bool:
    """Return whether a text layer can be used instead of reading the page.

    It cannot if it has fewer than `min_chars` visible characters, or if more than one in twenty of them is a
    replacement, private-use or control character: fonts without a Unicode map yield those, and only the pixels show
    the text.
    """
    characters = "".join(word.text for word in words)
    suspect = sum(map(_is_suspect, characters))
    return bool(characters) and len(characters) >= min_chars and suspect <= _MOST_SUSPECT * len(characters)


def _is_suspect(character: str) -> bool:
    code = ord(character)
    return (
        code == 0xFFFD
        or 0xE000 <= code <= 0xF8FF
        or code >= 0xF0000
        or code < 0x20
        or 0x7F <= code < 0xA0
        or code & 0xFFFF >= 0xFFFE
    )


def extract_words(page: pypdfium2.PdfPage, canvas: Canvas) -> list[Word] | None:
    """Return the words of an open page in PDFium's order.

    Args:
        page: The page.
        canvas: The size of the page in the pixels that the boxes are in.

    Returns:
        Words with confidence 100, with lines grouped into blocks by the space between them; None without text.
    """
    text_page = page.get_textpage()
    try:
        lines = _read_lines(text_page.raw, text_page.count_chars())
    finally:
        text_page.close()
    placed = [_place(page.raw, line, canvas) for line in lines]
    return _number([line for line in placed if line]) or None


def _read_lines(text_page: Any, count: int) -> list[list[_PdfWord]]:
    lines: list[list[_PdfWord]] = [[]]
    word = _PdfWord()
    edges = [ctypes.c_double() for _ in range(4)]
    left, right, bottom, top = edges
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text_page, index)
        character = _character(code)
        if character.isspace() or code == 0:
            if word.characters:
                lines[-1].append(word)
                word = _PdfWord()
            if code in _LINE_BREAKS and lines[-1]:
                lines.append([])
            continue
        word.characters.append(character)
        if raw.FPDFText_GetCharBox(text_page, index, left, right, bottom, top):
            _widen(word.extent, left.value, bottom.value, right.value, top.value)
    if word.characters:
        lines[-1].append(word)
    return lines


def _character(code: int) -> str:
    if code in _SOFT_HYPHENS:
        return "-"
    return "\ufffd" if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code)


def _widen(extent: list[float], left: float, bottom: float, right: float, top: float) -> None:
    if not extent:
        extent[:] = [left, bottom, right, top]
        return
    extent[:] = [min(extent[0], left), min(extent[1], bottom), max(extent[2], right), max(extent[3], top)]


def _place(page: Any, line: list[_PdfWord], canvas: Canvas) -> list[Word]:
    """Return a line's words with their pixel boxes, which follow the page's own rotation and crop."""
    words = []
    for word in line:
        if not word.extent:
            continue
        left, bottom, right, top = word.extent
        first, second = _to_device(page, canvas, left, top), _to_device(page, canvas, right, bottom)
        (x1, x2), (y1, y2) = (sorted(pair) for pair in zip(first, second, strict=True))
        box = Box(x1, y1, max(1, x2 - x1), max(1, y2 - y1))
        words.append(Word(0, 0, 0, box, "".join(word.characters), 100.0))
    return words


def _to_device(page: Any, canvas: Canvas, x: float, y: float) -> tuple[int, int]:
    device_x, device_y = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, canvas.width, canvas.height, 0, x, y, device_x, device_y)
    return device_x.value, device_y.value


def _number(lines: list[list[Word]]) -> list[Word]:
    """Return the words with their line and block; a block is lines that overlap sideways with little space between."""
    numbered: list[Word] = []
    block = line_number = 0
    above: Box | None = None
    for line in lines:
        box = enclosing([word.box for word in line])
        if above is not None:
            apart = box.left > above.right or box.right < above.left
            gap = box.top - above.bottom
            height = max(min(box.height, above.height), 1)
            new = gap > _BLOCK_GAP * height or gap < -2 * height or (apart and gap > -height)
            block, line_number = (block + 1, 0) if new else (block, line_number + 1)
        numbered += [Word(block, 0, line_number, word.box, word.text, word.confidence) for word in line]
        above = box
    return numbered

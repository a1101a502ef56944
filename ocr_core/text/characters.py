"""Characters as a person would type them, and characters that no font explains."""

from __future__ import annotations

import unicodedata

_SYMBOLS = {
    0xF0A7: "\u25aa",
    0xF0A8: "\u25fb",
    0xF0B7: "\u2022",
    0xF0D8: "\u27a2",
    0xF0E0: "\u2192",
    0xF0FC: "\u2713",
    0xF0FE: "\u2611",
    0xF06F: "\u25a1",
    0xF0DF: "\u2190",
    0xF0FB: "\u2717",
}
"""Bullets, arrows and ticks of the fonts Symbol and Wingdings, which have no Unicode map."""

_PRESENTED = ((0xFB00, 0xFB4F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC))
"""Ligatures and the shapes of letters, Latin, Hebrew and Arabic: nobody types them."""

_UNSEEN = frozenset("\u00ad\u200b\u2060\ufeff")


def as_typed(code: int) -> str:
    """Return the text of a code point: the letters of a ligature, and nothing for what is never seen."""
    if code in _SYMBOLS:
        return _SYMBOLS[code]
    if 0xD800 <= code <= 0xDFFF or code > 0x10FFFF:
        return "\ufffd"
    character = chr(code)
    if character in _UNSEEN:
        return ""
    if any(first <= code <= last for first, last in _PRESENTED):
        return unicodedata.normalize("NFKC", character).strip()
    return character


def is_suspect(character: str) -> bool:
    """Return whether a character is a replacement, private-use or control character, or none at all.

    Fonts without a Unicode map yield those, and only the pixels show the text.
    """
    code = ord(character)
    return (
        code == 0xFFFD
        or 0xE000 <= code <= 0xF8FF
        or code >= 0xF0000
        or code < 0x20
        or 0x7F <= code < 0xA0
        or code & 0xFFFF >= 0xFFFE
    )

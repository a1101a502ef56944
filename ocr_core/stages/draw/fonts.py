"""Fonts that have the characters a label needs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import package_command

_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
)
_FAMILIES = ("DejaVuSans", "NotoSans", "NotoSansCJK", "Noto", "Droid", "FreeSans", "wqy", "unifont")
"""Prefixes of the file names to try first, widest coverage first."""

_STYLED = re.compile(r"bold|italic|oblique|condensed|light|thin|black|medium|symbol|emoji|math", re.IGNORECASE)
_MOST_FONTS = 300

ELLIPSIS = "..."
"""Replaces characters that no font has, instead of a row of boxes."""

_NOWHERE = "\uffff"
"""Not a character, so every font draws its glyph for missing characters."""

Font = ImageFont.FreeTypeFont


def font_for(text: str, size: int, option: str | None = None) -> tuple[Font, str]:
    """Choose a font for one text.

    Args:
        text: One line.
        size: Pixels.
        option: A font file to try first.

    Returns:
        The first font that has all characters (from the option, Pillow or the system), and the text. If no font has
        all, the font that has most of them, and the text with three dots for missing characters.

    Raises:
        EnvironmentFault: If the option is not a font.
    """
    if option is not None:
        load_font(option, size)
    best: tuple[int, str | None, str] | None = None
    for path in _candidates(option):
        found = "".join(character if _has(path, character) else "\0" for character in text)
        lacks = found.count("\0")
        if best is None or lacks < best[0]:
            best = lacks, path, found
        if not lacks:
            break
    assert best is not None  # Pillow's own font always exists
    return load_font(best[1], size), re.sub("\0+", ELLIPSIS, best[2])


@lru_cache(maxsize=128)
def load_font(path: str | None, size: int) -> Font:
    """Open a font file, or Pillow's own font for None.

    Raises:
        EnvironmentFault: If the file is not a font.
    """
    try:
        font = ImageFont.load_default(size=size) if path is None else ImageFont.truetype(path, size)
    except OSError as error:
        raise EnvironmentFault(
            f"draw.font: {path} cannot be read as a font: {error}", "set it to a TrueType or OpenType file"
        ) from error
    if not isinstance(font, Font):
        raise EnvironmentFault("Pillow cannot draw fonts: it was built without FreeType", package_command("pillow"))
    return font


def _candidates(option: str | None) -> Iterator[str | None]:
    if option is not None:
        yield option
    yield None
    yield from installed_fonts()


@lru_cache(maxsize=1)
def installed_fonts() -> tuple[str, ...]:
    """Return the system's font files in plain styles, those with the widest coverage first."""
    found = [
        f"{folder}/{name}"
        for place in _FOLDERS
        for folder, _, names in os.walk(Path(place).expanduser() if _has_home() else place)
        for name in sorted(names)
        if name.lower().endswith((".ttf", ".otf", ".ttc")) and not _STYLED.search(name)
    ]
    return tuple(sorted(found, key=_rank)[:_MOST_FONTS])


def _has_home() -> bool:
    try:
        Path.home()
    except RuntimeError:  # a user id without an entry, as in some containers
        return False
    return True


def _rank(path: str) -> tuple[int, str]:
    name = path.rpartition("/")[2]
    for rank, family in enumerate(_FAMILIES):
        if re.match(rf"{family}(-Regular)?\.", name):
            return rank, name
    return len(_FAMILIES) + (not name.startswith(_FAMILIES)), name


@lru_cache(maxsize=20_000)
def _has(path: str | None, character: str) -> bool:
    """Return whether a font has a character, that is, draws something other than its glyph for missing ones."""
    if character.isspace():
        return True
    try:
        font = load_font(path, 24)
        return bytes(font.getmask(character)) != _missing(path)
    except (OSError, ValueError, EnvironmentFault):
        return False


@lru_cache(maxsize=512)
def _missing(path: str | None) -> bytes:
    return bytes(load_font(path, 24).getmask(_NOWHERE))

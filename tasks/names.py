"""Names of files as people type them: patterns with braces, and letters that have more than one spelling in Unicode.

`ü` is one code point in the normal form NFC, and `u` with a combining mark in NFD. Macs write NFD, keyboards NFC, and
both look the same. So names are compared in NFC, but a file keeps the name that its store has.
"""

from __future__ import annotations

import os
import re
import unicodedata
from fnmatch import translate

from inkstream.ocr_core.errors import ConfigError

_MAX_ALTERNATIVES = 1000


def composed(name: str) -> str:
    """Return a name in the form in which names are compared: NFC. Bytes that are not UTF-8 stay as they are."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


class NamePattern:
    """A pattern that names are compared with: `*`, `?`, `[…]` and `{…,…}`, case-sensitive.

    Braces may be nested, and a backslash takes the meaning from one. A brace without a comma is an ordinary character.

    Args:
        pattern: The pattern.

    Raises:
        ConfigError: If its braces stand for too many names.
    """

    def __init__(self, pattern: str) -> None:
        alternatives = {composed(one) for one in _without_braces(pattern)}
        self._matches = re.compile("|".join(map(translate, sorted(alternatives)))).match

    def is_match(self, name: str) -> bool:
        """Return whether the pattern matches a name, in whichever normal form either of them is."""
        return self._matches(composed(name)) is not None


def _without_braces(pattern: str) -> list[str]:
    """Return the patterns that a pattern with braces stands for."""
    if "{" not in pattern:
        return [pattern]
    from bracex import ExpansionLimitException, expand

    try:
        found: list[str] = expand(pattern, limit=_MAX_ALTERNATIVES)
    except ExpansionLimitException:
        raise ConfigError(
            f"the braces of the pattern {pattern!r} stand for more than {_MAX_ALTERNATIVES} names; use fewer, or *"
        ) from None
    return found


def as_on_disk(path: str) -> str:
    """Return a local path with each of its names as the disk has it, where they differ only in their normal form.

    Args:
        path: The path. What does not exist in any form stays as it is.
    """
    if path.isascii() or os.path.lexists(path):
        return path
    folder, name = os.path.split(path)
    if folder == path:
        return path
    folder = as_on_disk(folder)
    try:
        names = [] if name.isascii() else os.listdir(folder or ".")  # noqa: PTH208 - names may be any bytes
    except OSError:
        names = []
    alike = (other for other in names if composed(other) == composed(name))
    return os.path.join(folder, name if name in names else min(alike, default=name))  # noqa: PTH118

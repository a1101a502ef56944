"""Matching the paths of a table with the patterns that people write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from inkstream.tasks.names import NamePattern, as_on_disk, composed
from inkstream.tasks.paths import decode


def matching(paths: Iterable[str], patterns: Sequence[str]) -> set[str]:
    """Return the paths that match any of the patterns; all paths if there is no pattern.

    A pattern is a path as in the table, a local path or a URL as people write it, or a glob of either. One without a
    slash is compared with file names, in NFC and NFD alike. A pattern that is the name of a file is not used as a glob.
    Only a path as in the table tells files apart whose names look the same.

    Args:
        paths: `FileVersion.path`s.
        patterns: The patterns.
    """
    there = set(paths)
    if not patterns:
        return there
    stored = there.intersection(patterns)
    others = [pattern for pattern in patterns if pattern not in stored]
    named = {path: _names(path) for path in there} if others else {}
    found = set(stored)
    for pattern in others:
        asked = _spellings(pattern)
        exact = {path for path, names in named.items() if not asked.isdisjoint(names)}
        found |= exact or _matching_any(named, [NamePattern(spelling) for spelling in asked])
    return found


def _names(path: str) -> tuple[str, str, str]:
    protocol, plain = decode(path)
    plain = composed(plain)
    return path, plain if protocol == "file" else f"{protocol}://{plain}", plain.rpartition("/")[2]


def _spellings(pattern: str) -> set[str]:
    """Return a pattern with its absolute forms, with and without symbolic links in its folder resolved, in NFC."""
    spellings = {pattern}
    if "://" not in pattern and "/" in pattern:
        folder, _, name = pattern.rpartition("/")
        absolute = os.path.abspath(pattern)  # noqa: PTH100
        real = os.path.realpath(as_on_disk(folder or "/"))
        spellings |= {absolute, f"{real.rstrip('/')}/{name}"}
    return {composed(spelling) for spelling in spellings}


def _matching_any(named: Mapping[str, Iterable[str]], patterns: Iterable[NamePattern]) -> set[str]:
    return {path for path, names in named.items() if any(one.is_match(name) for one in patterns for name in names)}

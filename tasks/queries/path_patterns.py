"""Matching the paths of a table with the patterns that people write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from inkstream.tasks.paths import decode


def matching(paths: Iterable[str], patterns: Sequence[str]) -> set[str]:
    """Return the paths that match any of the patterns; all paths if there is no pattern.

    A pattern is a path as in the table, a local path or a URL as people write it, or a glob of either. One without a
    slash is compared with file names. A pattern that is exactly the name of a file is not used as a glob.

    Args:
        paths: `FileVersion.path`s.
        patterns: The patterns.
    """
    named = {path: _names(path) for path in set(paths)}
    if not patterns:
        return set(named)
    found: set[str] = set()
    for pattern in patterns:
        asked = _spellings(pattern)
        exact = {path for path, names in named.items() if not asked.isdisjoint(names)}
        found |= exact or {path for path, names in named.items() if _any_matches(names, asked)}
    return found


def _names(path: str) -> tuple[str, str, str]:
    protocol, plain = decode(path)
    return path, plain if protocol == "file" else f"{protocol}://{plain}", plain.rpartition("/")[2]


def _spellings(pattern: str) -> set[str]:
    """Return a pattern with its absolute forms, with and without symbolic links in its folder resolved."""
    if "://" in pattern or "/" not in pattern:
        return {pattern}
    folder, _, name = pattern.rpartition("/")
    return {pattern, os.path.abspath(pattern), f"{os.path.realpath(folder or '/').rstrip('/')}/{name}"}  # noqa: PTH100


def _any_matches(names: Iterable[str], asked: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in asked)

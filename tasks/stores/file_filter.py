"""The rule for which files of a source are documents, by their names."""

from __future__ import annotations

from dataclasses import dataclass, field

from inkstream.tasks.names import NamePattern
from inkstream.tasks.skipped import SkipReason


@dataclass(frozen=True, slots=True)
class FileFilter:
    """The rule for which files of a folder are documents.

    Attributes:
        glob: Pattern of file names (see `NamePattern`).
        recursive: Whether subfolders are read too.
    """

    glob: str = "*"
    recursive: bool = True
    _pattern: NamePattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern. Raises ConfigError if its braces stand for too many names."""
        object.__setattr__(self, "_pattern", NamePattern(self.glob))

    def reason(self, name: str) -> SkipReason | None:
        """Return why a file of this name is not a document; None if it is one."""
        if _is_hidden(name):
            return SkipReason.HIDDEN
        return None if self._pattern.is_match(name) else SkipReason.GLOB

    def path_reason(self, relative: str) -> SkipReason | None:
        """Return why a file with this path relative to the source is not a document; None if it is one."""
        *folders, name = relative.split("/")
        if folders and not self.recursive:
            return SkipReason.SUBFOLDER
        return SkipReason.HIDDEN if any(map(_is_hidden, folders)) else self.reason(name)

    def folder_reason(self, name: str) -> SkipReason | None:
        """Return why a subfolder of this name is not entered; None if it is."""
        if _is_hidden(name):
            return SkipReason.HIDDEN_FOLDER
        return None if self.recursive else SkipReason.SUBFOLDER


def _is_hidden(name: str) -> bool:
    """Return whether a name has a leading `_` or `.`, which tools use for files that are not data yet."""
    return name.startswith(("_", "."))

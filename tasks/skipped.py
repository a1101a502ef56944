"""Counts of the files that a source holds and a run does not read, by reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

_EXAMPLES = 3


class SkipReason(StrEnum):
    """Why a file of the source, or all files of a folder, are not read. The keys of `skipped` in JSON."""

    HIDDEN = "hidden"
    """The name begins with `_` or `.`, or on a bucket that of one of its folders."""
    GLOB = "glob"
    """`source.glob` does not match the name."""
    OLD = "old"
    """It is older than the newest file by more than `source.max_file_age`."""
    UNSTABLE = "unstable"
    """It was changed within `source.stability_delay`. A later run reads it."""
    FUTURE = "future"
    """With `source.stability_delay`: its time is in the future, so it is unknown when it was changed. It waits."""
    SUPERSEDED = "superseded"
    """With `sink.mode: upsert`: the table has a version of this path that is newer by its time."""
    SPECIAL = "special"
    """It is a pipe, socket or device, or a link to nothing."""
    ARCHIVED = "archived"
    """It is in a storage class that has to be restored first, such as Glacier. A run after that reads it."""
    UNREADABLE = "unreadable"
    """The store does not say what it is, because access is denied or the disk fails."""
    UNREADABLE_FOLDER = "unreadable_folder"
    """A folder that cannot be listed. The number of its files is unknown."""
    HIDDEN_FOLDER = "hidden_folder"
    """A folder that is not entered because its name begins with `_` or `.`."""
    SYSTEM_FOLDER = "system_folder"
    """A folder that belongs to the file system, such as `lost+found`, and cannot be listed."""
    SUBFOLDER = "subfolder"
    """A folder that is not entered because `source.recursive` is false."""


_MATCHED = (
    SkipReason.OLD,
    SkipReason.UNSTABLE,
    SkipReason.FUTURE,
    SkipReason.SPECIAL,
    SkipReason.ARCHIVED,
    SkipReason.UNREADABLE,
)


@dataclass(slots=True)
class Skipped:
    """What one look at the source left out. Its size does not grow with the number of files.

    Attributes:
        root: The source's folder. Examples are named relative to it.
        counts: Number of files, or of folders, for each reason.
        examples: A few names for each reason; an unreadable one with the store's words in parentheses.
    """

    root: str = ""
    counts: Counter[SkipReason] = field(default_factory=Counter)
    examples: dict[SkipReason, list[str]] = field(default_factory=dict)

    def add(self, reason: SkipReason, path: str, why: str = "") -> None:
        """Count a file or folder.

        Args:
            reason: Why it is not read.
            path: Its path as the store knows it.
            why: What the store said, for the examples.
        """
        self.counts[reason] += 1
        names = self.examples.setdefault(reason, [])
        if len(names) < _EXAMPLES:
            name = path.removeprefix(self.root).strip("/") or path
            names.append(f"{name} ({why})" if why else name)

    def merge(self, other: Skipped) -> None:
        """Add the counts of another look, at other files."""
        self.counts.update(other.counts)
        for reason, names in other.examples.items():
            known = self.examples.setdefault(reason, [])
            known.extend([name for name in names if name not in known][: _EXAMPLES - len(known)])

    @property
    def has_unreadable(self) -> bool:
        """Whether something could not be looked at, so that there may be new files that the run did not see."""
        return bool(self.counts[SkipReason.UNREADABLE] or self.counts[SkipReason.UNREADABLE_FOLDER])

    @property
    def matched(self) -> int:
        """Number of the files whose names `source.glob` matches."""
        return sum(self.counts[reason] for reason in _MATCHED)

    def to_json(self) -> dict[str, int]:
        """Return the counts that are not zero, by reason."""
        return {reason.value: self.counts[reason] for reason in SkipReason if self.counts[reason]}

    def examples_json(self) -> dict[str, list[str]]:
        """Return the examples by reason."""
        return {reason.value: self.examples[reason] for reason in SkipReason if reason in self.examples}

"""What to do after a run: one sentence for each kind of trouble, if possible with a command that can be pasted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

_NAMED_FILES = 5
"""A command names at most this many files."""


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do.

    Attributes:
        problem: What happened, in a few words.
        advice: What to do, in a few words, without the command.
        command: A command for a shell, quoted; None if there is none.
    """

    problem: str
    advice: str
    command: str | None = None

    def __str__(self) -> str:
        return f"{self.problem}: {self.advice}" + (f" `{self.command}`" if self.command else "")

    def to_json(self) -> dict[str, str | None]:
        """Return the fields by name."""
        return {"problem": self.problem, "advice": self.advice, "command": self.command}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run has put its rows.

    Attributes:
        sink: The sink's folder or URL.
        stream: The stream.
        can_replace: Whether the sink can replace rows.
    """

    sink: str
    stream: str
    can_replace: bool


def retry_failed(pages: int, place: Place) -> NextStep:
    """Return what to do about failed pages.

    Args:
        pages: Number of pages.
        place: Where their rows are.
    """
    problem = f"{_counted(pages, 'page')} failed"
    if not place.can_replace:
        return NextStep(problem, "see why with", shlex.join(["inkstream", "show", place.sink]))
    command = ["inkstream", "retry", place.sink, "--stream", place.stream]
    return NextStep(problem, "read again with", shlex.join(command))


def read_empty_otherwise(pages: int, paths: Sequence[str], place: Place, *, has_preset: bool) -> NextStep:
    """Return what to do about pages with ink on which no word was read.

    Args:
        pages: Number of pages.
        paths: `FileVersion.path`s of their files.
        place: Where their rows are.
        has_preset: Whether the engine of the preset `handwritten` has read them already.
    """
    problem = f"{_counted(pages, 'page')} with ink came out empty"
    if has_preset:
        return NextStep(problem, "look at them; their rows have a note")
    if not place.can_replace or len(paths) > _NAMED_FILES:
        return NextStep(problem, "try `--preset handwritten`")
    named = [part for path in paths for part in ("--path", path)]
    options = ["inkstream", "reprocess", place.sink, "--stream", place.stream, "--preset", "handwritten", *named]
    return NextStep(problem, "try", shlex.join(options))


def check_unsure(pages: int) -> NextStep:
    """Return what to do about pages with a very low confidence."""
    problem = f"{_counted(pages, 'page')} with very low confidence"
    return NextStep(problem, "check `recognize.languages`, or try `--preset handwritten`")


def leave_out_others(files: int) -> NextStep:
    """Return what to do about files of kind `unsupported`: other files, and documents of kinds that are not read."""
    are = "is not a document" if files == 1 else "are not documents"
    problem = f"{_counted(files, 'file')} {are} that can be read"
    return NextStep(problem, "set `source.glob`, such as `--set 'source.glob=*.pdf'`; `exception` in the rows says why")


def _counted(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"

"""The fenced blocks of the documentation, and the folder in which they run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from inkstream.tasks.config import StreamConfig, build_config
from tests import generators
from tests.places import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), ROOT / "benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHELL = ("bash", "sh", "console")
NOT_RUN = "Not run by the tests: "
"""A block whose title starts like this is not run; the rest of the title is the reason."""

_BLOCK = re.compile(r"^( *)```(\w*)([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([^"]*)"')
_END_OF_COMMAND = {"|", ">", ">>", "2>", "&&", ";", "&", "||"}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        page: The page, from the root of the repository.
        line: Where it begins.
        language: The first word after the fence.
        title: Its title; empty without one.
        text: The text between the fences.
    """

    page: str
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def reason(self) -> str | None:
        """Why it is not run; None if it is run."""
        return self.title.removeprefix(NOT_RUN) if self.title.startswith(NOT_RUN) else None

    def lines(self) -> list[str]:
        """Return the lines of a shell block, continued lines joined and prompts removed."""
        lines = (line.strip().removeprefix("$ ") for line in self.text.replace("\\\n", " ").splitlines())
        return [line for line in lines if line and not line.startswith("#")]

    def commands(self) -> list[list[str]]:
        """Return the words of its `inkstream` commands, up to a pipe or a redirection."""
        return [words for line in self.lines() if (words := command(line))]


def command(line: str) -> list[str] | None:
    """Return the words after `inkstream`, up to a pipe or a redirection; None for another command."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # one line of a quoted text with several lines
        return None
    if words[:1] != ["inkstream"]:
        return None
    end = next((number for number, word in enumerate(words) if word in _END_OF_COMMAND), len(words))
    return words[1:end]


def all_blocks() -> Iterator[Block]:
    """Yield every block of every page, in order."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            title = _TITLE.search(match[3])
            line = text[: match.start()].count("\n") + 1
            yield Block(str(page.relative_to(ROOT)), line, match[2], title[1] if title else "", match[4])


def blocks(*languages: str, run: bool = True) -> list[Block]:
    """Return the blocks in some languages: those to run, or all of them."""
    return [block for block in all_blocks() if block.language in languages and not (run and block.reason)]


def stream_in(place: Path, *overrides: str) -> StreamConfig:
    """Create the `inbox/` that the pages mention, and return the stream that reads it into `tables/`."""
    inbox = place / "inbox"
    inbox.mkdir()
    generators.born_digital_pdf(inbox / "minutes.pdf", ["The first page of it.", "The second page of it."])
    generators.text_image("A letter", size=(600, 200)).save(inbox / "letter.png")
    (inbox / "damaged.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    where = {"source": {"url": str(inbox)}, "sink": {"url": str(place / "tables")}, "execution": {"workers": 1}}
    return build_config(where, overrides=overrides)

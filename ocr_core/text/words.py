"""Words, and the tree of blocks, paragraphs and lines they hang on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level

if TYPE_CHECKING:
    pass


LEVELS = (Level.BLOCK, Level.PARAGRAPH, Level.LINE, Level.WORD)
"""Coarsest first: the tree every engine fills."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word and the branch of the tree it hangs on.

    Attributes:
        block: Number of its block in the page.
        paragraph: Number of its paragraph in the block.
        line: Number of its line in the paragraph.
        box: Pixels of the page.
        text: Without white space at its ends, never empty.
        confidence: 0-100.
        engine: What read it; None for the engine of the page.
    """

    block: int
    paragraph: int
    line: int
    box: Box
    text: str
    confidence: float
    engine: str | None = None


def branch(word: Word, level: Level) -> tuple[int, ...]:
    """Returns the numbers that tell the word's element of `level` from its neighbours."""
    return (word.block, word.paragraph, word.line)[: LEVELS.index(level) + 1]

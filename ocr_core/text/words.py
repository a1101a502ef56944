"""Words, and the tree of blocks, paragraphs and lines that they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level

if TYPE_CHECKING:
    pass


LEVELS = (Level.BLOCK, Level.PARAGRAPH, Level.LINE, Level.WORD)
"""The levels of the tree that every engine fills, coarsest first."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word and its place in the tree.

    Attributes:
        block: Number of its block in the page.
        paragraph: Number of its paragraph in the block.
        line: Number of its line in the paragraph.
        box: Pixels of the page.
        text: No white space at its ends, never empty.
        confidence: 0-100.
        engine: Name of the engine that read it; None for the page's engine.
    """

    block: int
    paragraph: int
    line: int
    box: Box
    text: str
    confidence: float
    engine: str | None = None


def branch(word: Word, level: Level) -> tuple[int, ...]:
    """Return the numbers that distinguish the word's element of `level` from its neighbours."""
    return (word.block, word.paragraph, word.line)[: LEVELS.index(level) + 1]

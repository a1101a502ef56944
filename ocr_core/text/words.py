"""Words, and the tree of blocks, paragraphs and lines that they belong to."""

from __future__ import annotations

from dataclasses import dataclass

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level

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


@dataclass(frozen=True, slots=True)
class LayerWord:
    """A word of a text layer.

    Attributes:
        word: Its text and position.
        font: Number of its font, unique within the page.
        angle: Direction of the text in the page as it is shown, degrees clockwise: 0, 90, 180 or 270.
        gray: Brightness of its colour, 0-255; None if it has a pattern, or no colour of its own.
        is_hidden: Whether the page draws it invisibly or under a picture, as programs do with the result of an OCR.
        is_damaged: Whether its font does not say which characters some of its glyphs are.
    """

    word: Word
    font: int = 0
    angle: int = 0
    gray: int | None = None
    is_hidden: bool = False
    is_damaged: bool = False


def branch(word: Word, level: Level) -> tuple[int, ...]:
    """Return the numbers that distinguish the word's element of `level` from its neighbours."""
    return (word.block, word.paragraph, word.line)[: LEVELS.index(level) + 1]

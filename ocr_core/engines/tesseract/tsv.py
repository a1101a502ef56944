"""The parser of Tesseract's TSV, which both bindings return."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.text.words import Word

_COLUMNS = 12
_LEVELS = range(1, 6)
_WORD = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One line of TSV.

    Attributes:
        level: 1 page, 2 block, 3 paragraph, 4 line, 5 word.
        block: Number of the block in the page, from 1; 0 at coarser levels.
        paragraph: Number in the block.
        line: Number in the paragraph.
        word: Number in the line.
        box: Pixels of the picture that was read.
        confidence: 0-100 for words; -1 otherwise.
        text: The word; empty at other levels.
    """

    level: int
    block: int
    paragraph: int
    line: int
    word: int
    box: Box
    confidence: float
    text: str


def parse_tsv(text: str) -> list[Row]:
    """Parse TSV, with or without its heading.

    Raises:
        ValueError: If a line does not have twelve columns, or a column is not a number.
    """
    return list(_rows(text))


def _rows(text: str) -> Iterator[Row]:
    for line in text.split("\n"):
        if not line.strip() or line.startswith("level\t"):
            continue
        columns = line.rstrip("\r").split("\t", _COLUMNS - 1)
        if len(columns) < _COLUMNS - 1:
            raise ValueError(f"a TSV line has {_COLUMNS} columns, not {len(columns)}: {line!r}")
        level, _, block, paragraph, number, word, left, top, width, height = (int(c) for c in columns[:10])
        confidence = float(columns[10])
        if level not in _LEVELS or not math.isfinite(confidence):
            raise ValueError(f"not a line of Tesseract's TSV: {line!r}")
        box = Box(left, top, width, height)
        found = columns[11] if len(columns) == _COLUMNS else ""
        yield Row(level, block, paragraph, number, word, box, confidence, found)


def words_of_rows(rows: list[Row], left: float = 0, top: float = 0) -> list[Word]:
    """Return the words that have text.

    Args:
        rows: From `parse_tsv`.
        left: x of the picture that was read, in pixels of the page.
        top: y of that picture.
    """
    return [
        Word(
            row.block,
            row.paragraph,
            row.line,
            Box(row.box.left + left, row.box.top + top, row.box.width, row.box.height),
            " ".join(row.text.split()),
            min(max(row.confidence, 0.0), 100.0),
        )
        for row in rows
        if row.level == _WORD and row.text.strip()
    ]

"""Composing text and regions from words, in the same way for every engine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level, Region
from inkstream.ocr_core.text.reading_order import enclosing
from inkstream.ocr_core.text.words import LEVELS, Word, branch

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RecognizeOptions


_SEPARATOR = {Level.BLOCK: "\n\n", Level.PARAGRAPH: "\n", Level.LINE: " "}
"""Separators between the children of an element: paragraphs of a block, lines of a paragraph, words of a line."""


@dataclass(frozen=True, slots=True)
class Composition:
    """Text and regions composed from words.

    Attributes:
        text: Words joined by spaces, lines and paragraphs by newlines, blocks by empty lines.
        confidence: Mean over the kept words, 0-100; None without words.
        regions: In reading order, parents before children.
    """

    text: str
    confidence: float | None
    regions: tuple[Region, ...]


def compose(
    words: Iterable[Word],
    *,
    engine: str,
    finest: Level = Level.WORD,
    threshold: float = 0.0,
    spaces: bool = False,
) -> Composition:
    """Build text and regions from words in reading order.

    Args:
        words: The words, those of one element together.
        engine: Name of the engine that read them.
        finest: Finest level in `regions`, and the level whose mean confidence is compared with `threshold`.
        threshold: 0-100; elements below it are left out of text and regions.
        spaces: Whether the spaces between words of a line are also regions: at word level, with text ` ` and without a
            confidence.
    """
    kept = confident(list(words), finest, threshold)
    tree = _Tree(engine, finest, spaces)
    texts = [tree.grow(block, 0, None) for block in _split(kept, Level.BLOCK)]
    return Composition("\n\n".join(texts), _mean(kept) if kept else None, tuple(tree.regions))


def compose_page(words: list[Word], engine: str, options: RecognizeOptions, resolution: int) -> Composition:
    """Build a page's text and regions by the options, from words in pixels of a page of `resolution` dpi.

    With `keep_layout`, only the page's text is laid out; the text of its regions stays in reading order.
    """
    level, threshold = options.iterator_level, options.confidence_threshold
    made = compose(words, engine=engine, finest=level, threshold=threshold, spaces=options.with_spaces)
    if not options.keep_layout:
        return made
    from inkstream.ocr_core.text.text_grid import lay_out

    space = options.output_space_character_width * resolution / 72
    return replace(made, text=lay_out(confident(words, level, threshold), space))


def confident(words: list[Word], level: Level, threshold: float) -> list[Word]:
    """Return the words of the elements of `level` whose mean confidence is at least `threshold`."""
    if level is Level.WORD:
        return [word for word in words if word.confidence >= threshold]
    return [word for element in _split(words, level) if _mean(element) >= threshold for word in element]


class _Tree:
    """The regions of one page, as they are collected."""

    def __init__(self, engine: str, finest: Level, spaces: bool) -> None:
        self.regions: list[Region] = []
        self._engine = engine
        self._shown = LEVELS.index(finest)
        self._spaces = spaces

    def grow(self, words: list[Word], depth: int, parent: int | None) -> str:
        """Add the element that `words` form at `depth`, with its children, and return its text."""
        index = len(self.regions)
        if depth > self._shown:
            return self._text(words, depth, parent)
        level, box = LEVELS[depth], enclosing([word.box for word in words])
        region = Region(index, parent, level, box, "", round(_mean(words), 2), self._engine_of(words))
        self.regions.append(region)
        text = self._text(words, depth, index)
        self.regions[index] = replace(region, text=text)
        return text

    def _text(self, words: list[Word], depth: int, parent: int | None) -> str:
        level = LEVELS[depth]
        if level is Level.WORD:
            return words[0].text
        children = [[word] for word in words] if level is Level.LINE else _split(words, LEVELS[depth + 1])
        texts = []
        for before, child in zip([None, *children], children, strict=False):
            if self._spaces and before is not None and level is Level.LINE:
                self._add_space(before[0].box, child[0].box, parent)
            texts.append(self.grow(child, depth + 1, parent))
        return _SEPARATOR[level].join(texts)

    def _engine_of(self, words: list[Word]) -> str:
        return "+".join(dict.fromkeys(word.engine or self._engine for word in words))

    def _add_space(self, before: Box, after: Box, parent: int | None) -> None:
        box = between(before, after)
        self.regions.append(Region(len(self.regions), parent, Level.WORD, box, " ", None, self._engine))


def _split(words: Sequence[Word], level: Level) -> list[list[Word]]:
    return [list(group) for _, group in groupby(words, key=lambda word: branch(word, level))]


def between(first: Box, second: Box) -> Box:
    """Return the space between two upright boxes, side by side or one above the other; width 0 if they overlap."""
    top, bottom = min(first.top, second.top), max(first.bottom, second.bottom)
    left, right = min(first.right, second.right), max(first.left, second.left)
    if right >= left:
        return Box(left, top, right - left, bottom - top)
    above, below = min(first.bottom, second.bottom), max(first.top, second.top)
    if below >= above:
        around = enclosing([first, second])
        return Box(around.left, above, around.width, below - above)
    return Box(max(second.left, first.left), top, 0, bottom - top)


def _mean(words: Sequence[Word]) -> float:
    return sum(word.confidence for word in words) / len(words)

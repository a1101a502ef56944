"""Merging two readings of one page: words of its text layer, and words read where the layer has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level
from inkstream.ocr_core.text.reading_order import enclosing
from inkstream.ocr_core.text.words import Word, branch

_SAME = 0.5
"""Share of the smaller box; of two words that overlap by more, only the one of the layer is kept."""
_SAME_ROW = 0.5
"""Share of the lower line's height that two lines of one row have in common."""
_SHORT = 25
"""Characters; a line up to this length joins another one of its row at any distance, as values join their labels."""
_NEAR = 3.0
"""Distance, in line heights, up to which longer lines of one row are joined, too."""


@dataclass(slots=True)
class _MergedLine:
    """A line while both readings are merged.

    Attributes:
        words: Left to right, at least one.
        origin: The reading and the block it comes from.
        box: The box around the words.
    """

    words: list[Word]
    origin: tuple[bool, int]
    box: Box


def merge(layer: Sequence[Word], read: Sequence[Word]) -> list[Word]:
    """Merge words in reading order: each line goes into the row beside it, or below the line above it.

    Args:
        layer: Words of the text layer, in its order.
        read: Words read on the page, in the engine's order; those in the place of a layer's word are left out.

    Returns:
        All words, with new numbers of blocks, paragraphs and lines.
    """
    fresh = without_overlap(read, layer)
    ours, theirs = _lines(layer, True), _lines(fresh, False)
    base, more = (ours, theirs) if len(layer) >= len(fresh) else (theirs, ours)
    for _, block in groupby(more, key=lambda line: line.origin):
        _insert(base, [line for line in block if not _joined(base, line)])
    return _numbered(base)


def without_overlap(read: Iterable[Word], layer: Sequence[Word]) -> list[Word]:
    """Return the words that are not in the place of a word of the layer."""
    rows: dict[int, list[Box]] = {}
    height = max((word.box.height for word in layer), default=1.0)
    for word in layer:
        rows.setdefault(int(word.box.top // height), []).append(word.box)

    def near(box: Box) -> Iterable[Box]:
        first, last = int(box.top // height) - 1, int(box.bottom // height)
        return (other for row in range(first, last + 1) for other in rows.get(row, ()))

    return [word for word in read if not any(_is_same(word.box, other) for other in near(word.box))]


def _is_same(one: Box, other: Box) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    smaller = min(one.width * one.height, other.width * other.height)
    return across > 0 and down > 0 and across * down > _SAME * smaller


def _lines(words: Iterable[Word], is_layer: bool) -> list[_MergedLine]:
    lines = []
    for _, group in groupby(words, key=lambda word: branch(word, Level.LINE)):
        line = list(group)
        lines.append(_MergedLine(line, (is_layer, line[0].block), enclosing([word.box for word in line])))
    return lines


def _joined(base: Sequence[_MergedLine], line: _MergedLine) -> bool:
    """Put a line into the nearest line of its row, if they belong together; return whether it was."""
    rows = [other for other in base if _shares_row(other.box, line.box)]
    if not rows:
        return False
    nearest = min(rows, key=lambda other: _gap(other.box, line.box))
    lengths = [sum(len(word.text) + 1 for word in each.words) for each in (nearest, line)]
    if min(lengths) > _SHORT and _gap(nearest.box, line.box) > _NEAR * line.box.height:
        return False
    nearest.words = sorted([*nearest.words, *line.words], key=lambda word: word.box.left)
    nearest.box = enclosing([word.box for word in nearest.words])
    return True


def _shares_row(one: Box, other: Box) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared > _SAME_ROW * min(one.height, other.height) and max(one.height, other.height) < 3 * min(
        one.height, other.height
    )


def _gap(one: Box, other: Box) -> float:
    return max(0.0, max(one.left, other.left) - min(one.right, other.right))


def _insert(base: list[_MergedLine], block: list[_MergedLine]) -> None:
    """Put the lines of a block after the lowest line above it that it lies under, or else that is above it."""
    if not block:
        return
    box = enclosing([line.box for line in block])
    above = [place for place, line in enumerate(base) if line.box.center[1] < box.top + block[0].box.height / 2]
    under = [place for place in above if min(base[place].box.right, box.right) > max(base[place].box.left, box.left)]
    lowest = max(under or above, key=lambda place: base[place].box.bottom, default=-1)
    base[lowest + 1 : lowest + 1] = block


def _numbered(lines: Iterable[_MergedLine]) -> list[Word]:
    words: list[Word] = []
    for number, (_, block) in enumerate(groupby(lines, key=lambda line: line.origin)):
        for place, line in enumerate(block):
            words += [replace(word, block=number, paragraph=0, line=place) for word in line.words]
    return words

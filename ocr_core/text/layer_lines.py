"""The lines of a text layer: in reading order, also where the file has them in none, and grouped into blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.text.reading_order import enclosing, group_lines
from inkstream.ocr_core.text.words import LayerWord

_BLOCK_GAP = 1.0
"""Space between two lines of a block at most, in heights of the lower line."""
_MOST_EARLY = 0.3
"""Share of lines that come before the line above them, beyond which the order of the file is not that of the page. A
header that is drawn last makes one or two of them."""
_LINES_BACK = 40
"""Lines of other columns, and of the same height, among which the line above is looked for."""
_SAME_COLUMN = 0.5
"""Share of the narrower line that two lines of one column have in common across."""


def in_reading_order(lines: Sequence[list[LayerWord]]) -> list[list[LayerWord]]:
    """Return lines as a reader meets them.

    The order of the file is kept where it is one: it knows more than the page shows, such as which columns belong
    together. Where it goes to and fro, the lines are made again from the places of the words.

    Args:
        lines: At least one word in each.
    """
    by_angle: dict[int, list[list[LayerWord]]] = {}
    for line in lines:
        by_angle.setdefault(line[0].angle, []).append(line)
    made = {angle: _from_places(alike) for angle, alike in by_angle.items() if _is_disordered(list(map(_box, alike)))}
    ordered: list[list[LayerWord]] = []
    for line in lines:
        angle = line[0].angle
        ordered += [line] if angle not in made else made[angle] if line is by_angle[angle][0] else []
    return ordered


def numbered(lines: Iterable[Sequence[LayerWord]]) -> list[LayerWord]:
    """Return the words that have text, with their line and block.

    A block is lines of one direction that overlap sideways with little space between them.
    """
    words: list[LayerWord] = []
    block = number = 0
    above: Box | None = None
    angle = 0
    for line in lines:
        kept = [each for each in line if each.word.text]
        if not kept:
            continue
        box = _box(kept)
        if above is not None:
            is_new = angle != kept[0].angle or _are_apart(above, box)
            block, number = (block + 1, 0) if is_new else (block, number + 1)
        words += [replace(each, word=replace(each.word, block=block, line=number)) for each in kept]
        above, angle = box, kept[0].angle
    return words


def _box(line: Sequence[LayerWord]) -> Box:
    """Return the box around a line, in a frame in which its text is upright."""
    return _upright(enclosing([each.word.box for each in line]), line[0].angle)


def _upright(box: Box, angle: int) -> Box:
    match angle:
        case 90:
            return Box(box.top, -box.right, box.height, box.width)
        case 180:
            return Box(-box.right, -box.bottom, box.width, box.height)
        case 270:
            return Box(-box.bottom, box.left, box.height, box.width)
    return Box(box.left, box.top, box.width, box.height)


def _is_disordered(boxes: Sequence[Box]) -> bool:
    """Return whether too many lines come before the line above them."""
    places = sorted(range(len(boxes)), key=lambda place: boxes[place].center[1])
    below = early = 0
    for order, place in enumerate(places):
        near = places[max(0, order - _LINES_BACK) : order]
        above = next((other for other in reversed(near) if _is_above(boxes[other], boxes[place])), None)
        if above is not None:
            below += 1
            early += place < above
    return early > _MOST_EARLY * below


def _is_above(above: Box, line: Box) -> bool:
    """Return whether a line is above another one, in its column."""
    shared = min(line.right, above.right) - max(line.left, above.left)
    return above.center[1] < line.top and shared > _SAME_COLUMN * min(line.width, above.width)


def _from_places(lines: Sequence[Sequence[LayerWord]]) -> list[list[LayerWord]]:
    """Return lines made from the places of the words; within a line of the file, words keep their order."""
    words = [each for line in lines for each in line]
    boxes = [_upright(each.word.box, each.angle) for each in words]
    numbers = {id(box): number for number, box in enumerate(boxes)}
    origin = [number for number, line in enumerate(lines) for _ in line]
    made = []
    for row in group_lines(boxes):
        places = [numbers[id(box)] for box in row.boxes]
        if len({origin[place] for place in places}) == 1:
            places.sort()
        made.append([words[place] for place in places])
    return made


def _are_apart(above: Box, box: Box) -> bool:
    """Return whether a line begins a new block."""
    beside = box.left > above.right or box.right < above.left
    gap = box.top - above.bottom
    height = max(min(box.height, above.height), 1)
    return gap > _BLOCK_GAP * height or gap < -2 * height or (beside and gap > -height)

"""A page's regions as one complete tree of blocks, paragraphs, lines and words, whatever levels an engine returned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level, PageResult, Region
from inkstream.ocr_core.text.reading_order import enclosing
from inkstream.ocr_core.text.words import LEVELS

_PARTED_BY = {Level.BLOCK: "\n\n", Level.PARAGRAPH: "\n", Level.LINE: None}
"""The separator of an element's children in its text, as `ocr_core.text.layout` joins them; None is any space."""

_SAME_LINE = 0.5
"""Least overlap of two words on one line, as a share of the smaller one's height."""


@dataclass(slots=True)
class Element:
    """A node of the tree.

    Attributes:
        level: The children are of the next level.
        box: Pixels of the page; None if only the text of a larger element is known.
        confidence: 0-100, or None.
        text: A word's text; empty above words.
        children: In reading order; empty for areas that were detected but not read.
    """

    level: Level
    box: Box | None
    confidence: float | None = None
    text: str = ""
    children: list[Element] = field(default_factory=list)


def page_tree(page: PageResult) -> list[Element]:
    """Return the blocks of a page, each with all four levels down to every word of its text.

    If an engine kept only coarse regions, their text is split the way it was joined, and the parts have no box.
    Regions without a parent get parents around them. Text without any region becomes a block of the whole page.
    """
    read = _with_text_below(page.regions)
    found: dict[int, Element] = {}
    top: list[Element] = []
    for region in page.regions:
        if region.is_space:
            continue
        element = _element(region, splits=region.index not in read)
        parent = found.get(region.parent) if region.parent is not None else None
        fits = parent is not None and LEVELS.index(parent.level) < LEVELS.index(region.level)
        (parent.children if parent is not None and fits else top).append(element)
        found[region.index] = element
    if page.text and not any(region.text for region in page.regions):
        box = Box(0, 0, page.width, page.height) if page.width and page.height else None
        top.append(Element(Level.BLOCK, box, page.confidence, children=_split(Level.BLOCK, page.text)))
    blocks = _completed(top, Level.BLOCK)
    for block in blocks:
        for paragraph in block.children:
            for line in paragraph.children:
                _set_direction(line)
    return blocks


def upright(box: Box) -> Box:
    """Return the smallest upright box around a perhaps rotated one."""
    if not box.angle:
        return box
    xs, ys = zip(*box.corners(), strict=True)
    return Box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def _with_text_below(regions: Iterable[Region]) -> set[int]:
    """Return the indices of the regions that have a descendant with text, which is the better source of their text."""
    above = {region.index: region.parent for region in regions}
    found: set[int] = set()
    for region in regions:
        parent = region.parent if region.text else None
        while parent is not None and parent not in found:
            found.add(parent)
            parent = above.get(parent)
    return found


def _element(region: Region, *, splits: bool) -> Element:
    element = Element(region.level, region.box, region.confidence)
    if region.level is Level.WORD:
        element.text = region.text or ""
    elif splits and region.text:
        element.children = _split(region.level, region.text)
    return element


def _split(level: Level, text: str) -> list[Element]:
    """Return the children, without boxes, of an element of `level` with a text that `ocr_core.text.layout` joined."""
    child = LEVELS[LEVELS.index(level) + 1]
    parts = [part for part in text.split(_PARTED_BY[level]) if part.strip()]
    if child is Level.WORD:
        return [Element(child, None, text=part) for part in parts]
    return [Element(child, None, children=_split(child, part)) for part in parts]


def _completed(elements: list[Element], level: Level) -> list[Element]:
    """Return the elements with every level filled in from `level` down; runs of finer ones get a parent."""
    complete: list[Element] = []
    for wanted, run in groupby(elements, key=lambda element: element.level is level):
        if wanted:
            complete += run
        elif level is Level.LINE:
            complete += [_around(level, words) for words in _lines(list(run))]
        else:
            complete.append(_around(level, list(run)))
    if level is not Level.WORD:
        below = LEVELS[LEVELS.index(level) + 1]
        for element in complete:
            element.children = _completed(element.children, below)
    return complete


def _set_direction(line: Element) -> None:
    """Set the angle of the boxes of a line that runs up or down the page, as Tesseract's boxes have no angle."""
    boxes = [word.box for word in line.children if word.box is not None and word.text]
    if len(boxes) < 2 or any(box.angle for box in boxes) or any(box.height <= box.width for box in boxes):
        return
    across = boxes[-1].left + boxes[-1].width / 2 - boxes[0].left - boxes[0].width / 2
    down = boxes[-1].top + boxes[-1].height / 2 - boxes[0].top - boxes[0].height / 2
    if abs(down) > 2 * abs(across):
        for element in (line, *line.children):
            if element.box is not None and not element.box.angle:
                element.box = _on_its_side(element.box, 90.0 if down > 0 else -90.0)


def _on_its_side(box: Box, angle: float) -> Box:
    """Return the same area as a box whose width is along text that runs at `angle`."""
    x, y = box.left + box.width / 2, box.top + box.height / 2
    return Box(x - box.height / 2, y - box.width / 2, box.height, box.width, angle)


def _around(level: Level, children: list[Element]) -> Element:
    boxes = [upright(child.box) for child in children if child.box is not None]
    return Element(level, enclosing(boxes) if boxes else None, children=children)


def _lines(words: list[Element]) -> list[list[Element]]:
    """Group words without a line into lines: a new line begins where a word is not beside the one before."""
    lines = [words[:1]]
    for before, word in pairwise(words):
        if _beside(before.box, word.box):
            lines[-1].append(word)
        else:
            lines.append([word])
    return lines


def _beside(one: Box | None, other: Box | None) -> bool:
    if one is None or other is None:
        return True
    one, other = upright(one), upright(other)
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    return overlap >= _SAME_LINE * min(one.height, other.height)

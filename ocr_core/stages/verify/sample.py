"""A sample of a text layer's lines: chosen, cut out, read by an engine, and compared with the layer."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import Levenshtein

from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Level
from inkstream.ocr_core.text.reading_order import enclosing
from inkstream.ocr_core.text.words import branch

if TYPE_CHECKING:
    from inkstream.ocr_core.pixels import Pixels
    from inkstream.ocr_core.text.words import LayerWord

_LENGTH = 35
"""Letters and digits in a stretch, about: half a line costs the engine half as much as a line."""
_SHORTEST = 4
"""Letters and digits in a stretch at least."""
_ENOUGH = 25
"""Letters of one font after which more of them say nothing new."""
_ENOUGH_DIGITS = 12
_DIGIT = 2
"""A digit counts as much as this many letters: a wrong digit does more harm, and no sense of the text shows it."""
_GAIN = 6
"""A stretch that would show less that is new is not read."""
_FAR = 1.2
"""Distance between neighbours in a line, in their heights, at which there may be another word between them."""
_MARGIN = 0.2
"""Around a stretch, in its heights."""
_APART = 24
"""Pixels between stretches in the picture that the engine reads."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring words of one line.

    Attributes:
        words: From left to right, at least one.
    """

    words: tuple[LayerWord, ...]

    @property
    def text(self) -> str:
        """The words joined by spaces."""
        return " ".join(each.word.text for each in self.words)

    @property
    def box(self) -> Box:
        """The box around the words."""
        return enclosing([each.word.box for each in self.words])

    def counts(self) -> Counter[tuple[int, bool]]:
        """Count the letters and digits by font, and by whether they are digits."""
        return Counter(
            (each.font, character.isdigit())
            for each in self.words
            for character in each.word.text
            if is_telling(character)
        )


@dataclass(frozen=True, slots=True)
class Compared:
    """A stretch as the layer has it, and as it was read.

    Attributes:
        layer: Text of the layer.
        read: What the engine read there.
        confidence: Of the engine, 0-100; 0 if it read nothing.
        font: The font of most of its letters.
    """

    layer: str
    read: str
    confidence: float
    font: int


def is_telling(character: str) -> bool:
    """Return whether a character counts in a comparison: letters and digits, but no marks and no spaces."""
    return character.isalnum()


def choose(words: Sequence[LayerWord], most: int) -> list[Stretch]:
    """Choose the stretches that show most of the layer's fonts and digits.

    Args:
        words: Words of a layer.
        most: Number of stretches at most.
    """
    waiting = [stretch for stretch in _stretches(words) if stretch.counts().total() >= _SHORTEST]
    counts = [stretch.counts() for stretch in waiting]
    shown: Counter[tuple[int, bool]] = Counter()
    chosen: list[Stretch] = []
    while waiting and len(chosen) < most:
        gains = [_gain(count, shown) for count in counts]
        best = max(range(len(gains)), key=gains.__getitem__)
        if chosen and gains[best] < _GAIN:
            break
        chosen.append(waiting.pop(best))
        shown.update(counts.pop(best))
    return chosen


def spread(words: Sequence[LayerWord], most: int) -> list[Stretch]:
    """Choose stretches evenly over the page, the longest of each part."""
    found = [stretch for stretch in _stretches(words) if stretch.counts().total() >= _SHORTEST]
    size = max(1, -(-len(found) // most))
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    return [max(part, key=lambda stretch: stretch.counts().total()) for part in parts]


def _gain(counts: Counter[tuple[int, bool]], shown: Counter[tuple[int, bool]]) -> int:
    gain = 0
    for (font, is_digit), count in counts.items():
        enough, worth = (_ENOUGH_DIGITS, _DIGIT) if is_digit else (_ENOUGH, 1)
        gain += worth * min(count, max(0, enough - shown[font, is_digit]))
    return gain


def _stretches(words: Sequence[LayerWord]) -> Iterator[Stretch]:
    """Yield the stretches of each line; words far apart, with something else between them, are in different ones."""
    for _, line in groupby(words, key=lambda each: (each.angle, *branch(each.word, Level.LINE))):
        part: list[LayerWord] = []
        for each in line:
            if part and (_is_far(part[-1], each) or sum(len(one.word.text) for one in part) >= _LENGTH):
                yield Stretch(tuple(part))
                part = []
            part.append(each)
        yield Stretch(tuple(part))


def _is_far(one: LayerWord, other: LayerWord) -> bool:
    first, second = one.word.box, other.word.box
    apart = max(
        second.left - first.right, first.left - second.right, second.top - first.bottom, first.top - second.bottom
    )
    return apart > _FAR * min(first.width, first.height)


def stacked(cuts: Sequence[Pixels]) -> tuple[Pixels, list[tuple[int, int]]]:
    """Put pictures of lines below one another, on white.

    Args:
        cuts: At least one, `h x w`.

    Returns:
        The picture, and the first and last row of each line in it.
    """
    width = max(cut.shape[1] for cut in cuts) + 2 * _APART
    rows, parts, places = _APART, [np.full((_APART, width), 255, np.uint8)], []
    for cut in cuts:
        part = np.full((cut.shape[0] + _APART, width), 255, np.uint8)
        part[: cut.shape[0], _APART : _APART + cut.shape[1]] = cut
        parts.append(part)
        places.append((rows, rows + cut.shape[0]))
        rows += part.shape[0]
    return np.concatenate(parts), places


def cut_out(pixels: Pixels, stretch: Stretch) -> Pixels:
    """Return the picture of a stretch, upright and dark on light.

    Args:
        pixels: The page, uint8, `H x W` or `H x W x 3`.
        stretch: Words on the page.

    Returns:
        `h x w`, at least one pixel each way.
    """
    box = stretch.box
    margin = _MARGIN * min(box.width, box.height)
    top, left = max(0, round(box.top - margin)), max(0, round(box.left - margin))
    area = pixels[top : round(box.bottom + margin), left : round(box.right + margin)]
    gray = area if area.ndim == 2 else area.mean(axis=2).astype(np.uint8)
    turned = np.rot90(gray, stretch.words[0].angle // 90)
    return 255 - turned if np.median(turned) < 128 else turned


def compare(stretches: Sequence[Stretch], readings: Sequence[tuple[str, float]]) -> list[Compared]:
    """Compare stretches with what an engine read there: a text and a confidence for each."""
    compared = []
    for stretch, (text, confidence) in zip(stretches, readings, strict=True):
        fonts = Counter(each.font for each in stretch.words for _ in each.word.text)
        compared.append(Compared(stretch.text, text, confidence, fonts.most_common(1)[0][0]))
    return compared


def agreement(pairs: Sequence[tuple[str, str]], *, digits_only: bool = False) -> float:
    """Return how far texts agree: 1 less the edit distance over the longer length, over all pairs together.

    Case, spaces, marks and accents do not count.

    Args:
        pairs: Texts of the layer, and the same places as they were read.
        digits_only: Compare only the digits of numbers: words with more digits than letters.

    Returns:
        0-1; 1 if there is nothing to compare.
    """
    distance = longest = 0
    for one, other in pairs:
        left, right = _plain(one, digits_only), _plain(other, digits_only)
        distance += Levenshtein.distance(left, right)
        longest += max(len(left), len(right))
    return 1 - distance / longest if longest else 1.0


def digits_in(texts: Sequence[str]) -> int:
    """Count the digits of the numbers in texts."""
    return sum(len(_plain(text, True)) for text in texts)


def script_of(texts: Sequence[str]) -> str | None:
    """Return the script of most letters, as Unicode's names of letters begin with it; None without letters."""
    letters = (c for text in texts for c in text if c.isalpha())
    scripts = Counter(unicodedata.name(letter, "UNKNOWN").partition(" ")[0] for letter in letters)
    return scripts.most_common(1)[0][0] if scripts else None


def _plain(text: str, digits_only: bool) -> str:
    folded = unicodedata.normalize("NFKD", text).casefold()
    if not digits_only:
        return "".join(filter(is_telling, folded))
    return "".join(digits for word in folded.split() if (digits := _digits_of(word)))


def _digits_of(word: str) -> str:
    """Return the digits of a number; nothing for a word with the small, raised number of a footnote."""
    digits = "".join(filter(str.isdigit, word))
    return digits if 2 * len(digits) > sum(map(is_telling, word)) else ""

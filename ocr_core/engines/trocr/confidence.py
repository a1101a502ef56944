"""Words with confidences and positions, from tokens and their probabilities."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from inkstream.ocr_core.engines.line_reader import ReadWord

_LEAST = 1e-6
_UNFINISHED = 0.5
"""Factor for a confidence if the text was cut off, because the model did not reach the end of the line."""
_LOOP = 0.3
"""Factor for a text that repeats itself, as decoders do on pictures that they cannot read."""
_LOOPS = (
    re.compile(r"(?:^|\s)(\S+(?:\s+\S+){0,3})(?:\s+\1){2,}(?=\s|$)"),  # one to four words, three times
    re.compile(r"(.{1,8}?)\1{7,}"),  # a few characters, eight times
)
_NARROW, _WIDE = frozenset("iljtfrI1.,;:'|!()[]`\" "), frozenset("mwMW@%&")


@dataclass(frozen=True, slots=True)
class Token:
    """One step of the decoder.

    Attributes:
        end: Length of the line's text after this step.
        probability: Probability that the model gave it, 0-1.
    """

    end: int
    probability: float


def words_of_tokens(text: str, tokens: Sequence[Token], *, finished: bool) -> tuple[ReadWord, ...]:
    """Split a line's text at white space into words with confidences.

    A word's confidence is the geometric mean of its tokens' probabilities and the whole line's, with equal weight: a
    decoder that has gone astray is sure of each further word, because it follows from the last. The token that ends
    the line counts for the line. Lines that were cut off or that repeat themselves get a lower confidence.

    Args:
        text: The whole line.
        tokens: In the order they were written; the end token has the same `end` as the one before it.
        finished: Whether the model ended the line by itself.

    Returns:
        The words; each takes the share of the line's width that its characters usually have.
    """
    line = _mean([token.probability for token in tokens])
    line *= 1.0 if finished else _UNFINISHED
    line *= _LOOP if repeats(text) else 1.0
    places = [0.0]
    for character in text:
        places.append(places[-1] + _width(character))
    return tuple(
        ReadWord(
            match.group(),
            round(100 * math.sqrt(_mean(_within(tokens, *match.span())) * line), 2),
            places[match.start()] / places[-1],
            places[match.end()] / places[-1],
        )
        for match in re.finditer(r"\S+", text)
    )


def repeats(text: str) -> bool:
    """Return whether a text loops; rules and dot leaders do not count."""
    return any(any(map(str.isalnum, found.group(1))) for loop in _LOOPS for found in loop.finditer(text))


def _within(tokens: Sequence[Token], start: int, end: int) -> list[float]:
    """Return the probabilities of the tokens that wrote `text[start:end]` or a part of one of its characters."""
    found, before = [], 0
    for token in tokens:
        first, before = before, max(before, token.end)
        if first < end and (token.end > start or (token.end == first == start)):
            found.append(token.probability)
    return found


def _mean(probabilities: Sequence[float]) -> float:
    if not probabilities:
        return 0.0
    return math.exp(sum(math.log(max(one, _LEAST)) for one in probabilities) / len(probabilities))


def _width(character: str) -> float:
    """Return the rough width of a character in print; most are 1."""
    if unicodedata.east_asian_width(character) in "WF":
        return 2.0
    if character in _NARROW:
        return 0.5
    return 1.5 if character in _WIDE else 1.2 if character.isupper() else 1.0

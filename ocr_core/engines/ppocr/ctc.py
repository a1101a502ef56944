"""Decoding a CTC network's probabilities: Graves et al., Connectionist Temporal Classification, ICML 2006."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Posterior = NDArray[np.float32]
"""`T x C`: the probability of each character at each step along the line; column 0 is the blank."""

BLANK = 0
_TINY = 1e-12
_SURE_BLANK = 0.9995
_CANDIDATES = 12
_LEAST = 1e-3
_NEVER = -math.inf


class WordPrior(Protocol):
    """Prior scores of words, independent of the picture."""

    def whole(self, word: str) -> float:
        """Return the log score of a word; higher is more likely."""

    def begun(self, word: str) -> float:
        """Return the best log score of any word that starts with `word`."""


@dataclass(frozen=True, slots=True)
class Aligned:
    """One character and its position.

    Attributes:
        character: The character.
        probability: Highest probability that the network gave it there, 0-1.
        first: Its first step in the posterior.
        last: Its last step.
    """

    character: str
    probability: float
    first: int
    last: int


def greedy(posterior: Posterior, alphabet: list[str]) -> str:
    """Return the most likely character at each step, without repeats and blanks."""
    best = posterior.argmax(axis=1)
    fresh = np.diff(best, prepend=-1) != 0
    return "".join(alphabet[index] for index in best[fresh & (best != BLANK)])


def beam_search(posterior: Posterior, alphabet: list[str], score: WordPrior, width: int) -> str:
    """Return the most likely text by network and word scores together.

    Prefix beam search (Hannun et al., First-Pass Large Vocabulary Continuous Speech Recognition using
    Bi-Directional Recurrent DNNs, 2014). An unfinished word scores as the best word it can become; otherwise words
    that never end would outlive those that do.

    Args:
        posterior: `T x C`.
        alphabet: The `C` characters.
        score: Scores a word, given without the spaces around it.
        width: Number of prefixes kept at each step.
    """
    logs = np.log(np.maximum(posterior, _TINY))
    beams = {"": _Beam(blank=0.0)}
    for step, row in enumerate(posterior):
        blank = float(logs[step, BLANK])
        if row[BLANK] > _SURE_BLANK:
            for beam in beams.values():
                beam.blank, beam.other = beam.seen + blank, _NEVER
            continue
        seen = np.flatnonzero(row > _LEAST)
        likely = [int(c) for c in seen[np.argsort(row[seen])][-_CANDIDATES:] if c != BLANK]
        beams = _extend(beams, [(alphabet[c], float(logs[step, c])) for c in likely], blank, score)
        if len(beams) > width:
            beams = dict(sorted(beams.items(), key=lambda item: -item[1].total)[:width])
    ended: dict[str, float] = {}
    for prefix, beam in beams.items():
        text = prefix.rstrip()
        ended[text] = _either(ended.get(text, _NEVER), beam.seen + _ended(prefix, beam, score))
    return max(ended, key=ended.__getitem__)


@dataclass(slots=True)
class _Beam:
    """Log scores of a prefix.

    Attributes:
        blank: Score of the paths that end in a blank.
        other: Score of the paths that end in its last character.
        words: Score of its finished words.
        begun: Best score that its last word can reach.
    """

    blank: float = _NEVER
    other: float = _NEVER
    words: float = 0.0
    begun: float = 0.0

    @property
    def seen(self) -> float:
        return _either(self.blank, self.other)

    @property
    def total(self) -> float:
        return self.seen + self.words + self.begun


def _extend(
    beams: dict[str, _Beam], likely: list[tuple[str, float]], blank: float, score: WordPrior
) -> dict[str, _Beam]:
    grown: dict[str, _Beam] = {}
    for prefix, beam in beams.items():
        same = grown.setdefault(prefix, _Beam(words=beam.words, begun=beam.begun))
        same.blank = _either(same.blank, beam.seen + blank)
        for character, log in likely:
            before = beam.seen
            if prefix and character == prefix[-1]:
                same.other = _either(same.other, beam.other + log)
                before = beam.blank  # a double letter needs a blank between
            if before == _NEVER or (character == " " and (not prefix or prefix[-1] == " ")):
                continue
            longer = prefix + character
            if longer not in grown:
                grown[longer] = _longer(prefix, beam, character, score)
            grown[longer].other = _either(grown[longer].other, before + log)
    return grown


def _longer(prefix: str, beam: _Beam, character: str, score: WordPrior) -> _Beam:
    word = prefix.rsplit(" ", 1)[-1]
    if character == " ":
        return _Beam(words=beam.words + score.whole(word))
    return _Beam(words=beam.words, begun=score.begun(word + character))


def _ended(prefix: str, beam: _Beam, score: WordPrior) -> float:
    last = prefix.rsplit(" ", 1)[-1]
    return beam.words + (score.whole(last) if last else 0.0)


def _either(one: float, other: float) -> float:
    """Return log(exp(one) + exp(other))."""
    high, low = (one, other) if one > other else (other, one)
    return high if low == _NEVER else high + math.log1p(math.exp(low - high))


def align(posterior: Posterior, alphabet: dict[str, int], text: str) -> list[Aligned]:
    """Find the position of each character of a text by the most likely path (Viterbi).

    Args:
        posterior: `T x C`.
        alphabet: Column of each character.
        text: Text of those characters, no longer than `T` steps allow.

    Returns:
        One entry per character; an empty list if the text does not fit.
    """
    states = _states(alphabet, text)
    logs = np.log(np.maximum(posterior[:, states], _TINY))
    path = _viterbi(logs, states)
    spans: dict[int, list[int]] = {}
    for step, state in enumerate(path):
        if state % 2:
            spans.setdefault(state // 2, []).append(step)
    if len(spans) != len(text):
        return []
    return [
        Aligned(character, float(posterior[spans[i], alphabet[character]].max()), spans[i][0], spans[i][-1])
        for i, character in enumerate(text)
    ]


def _viterbi(logs: NDArray[np.float32], states: NDArray[np.int64]) -> list[int]:
    """Return the best state at each step: the same state, the next one, or the one after a skipped blank."""
    steps, count = logs.shape
    may_jump = _may_jump(states)
    score = np.full(count, -np.inf)
    score[:2] = logs[0, :2]
    came = np.zeros((steps, count), np.int8)
    for step in range(1, steps):
        options = np.full((3, count), -np.inf)
        options[0] = score
        options[1, 1:] = score[:-1]
        options[2, 2:] = np.where(may_jump[2:], score[:-2], -np.inf)
        came[step] = options.argmax(axis=0)
        score = options.max(axis=0) + logs[step]
    state = count - 1 if count == 1 or score[-1] >= score[-2] else count - 2
    path = [state]
    for step in range(steps - 1, 0, -1):
        state -= int(came[step, state])
        path.append(state)
    return path[::-1]


def log_likelihood(posterior: Posterior, alphabet: dict[str, int], text: str) -> float:
    """Return the log probability of a text over all paths that spell it (forward algorithm)."""
    states = _states(alphabet, text)
    logs = np.log(np.maximum(posterior[:, states], _TINY))
    may_jump = _may_jump(states)
    score = np.full(len(states), -np.inf)
    score[:2] = logs[0, :2]
    for row in logs[1:]:
        reached = score.copy()
        reached[1:] = np.logaddexp(reached[1:], score[:-1])
        reached[2:] = np.where(may_jump[2:], np.logaddexp(reached[2:], score[:-2]), reached[2:])
        score = reached + row
    return float(np.logaddexp.reduce(score[-2:]))


def _states(alphabet: dict[str, int], text: str) -> NDArray[np.int64]:
    """Return the columns that a path passes: a blank, then each character followed by a blank."""
    states = np.full(2 * len(text) + 1, BLANK)
    states[1::2] = [alphabet[character] for character in text]
    return states


def _may_jump(states: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which states can be reached from two states back: no blanks, and not the second of a double letter."""
    may_jump = np.zeros(len(states), bool)
    may_jump[2:] = (states[2:] != BLANK) & (states[2:] != states[:-2])
    return may_jump

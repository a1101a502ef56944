"""Measures of recognition quality: error rates and word scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein


def edit_distance(truth: Sequence[Hashable], found: Sequence[Hashable]) -> int:
    """Return the fewest insertions, deletions and substitutions that turn one sequence into the other."""
    return Levenshtein.distance(truth, found)


def character_error_rate(truth: str, found: str) -> float:
    """Return edits per character of the truth, which may exceed 1. Each run of white space counts as one blank."""
    return _rate(" ".join(truth.split()), " ".join(found.split()))


def word_error_rate(truth: str, found: str) -> float:
    """Return edits per word of the truth, which may exceed 1."""
    return _rate(truth.split(), found.split())


def _rate(truth: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    if not truth:
        return float(bool(found))
    return edit_distance(truth, found) / len(truth)


@dataclass(frozen=True, slots=True)
class WordScore:
    """Scores of words compared as a bag: their number counts, their order does not.

    Attributes:
        recall: Share of the truth's words that were found, 0-1; 1 if there are none to find.
        precision: Share of the found words that are in the truth, 0-1; 1 if none were found.
    """

    recall: float
    precision: float

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision, 0-1."""
        total = self.recall + self.precision
        return 2 * self.recall * self.precision / total if total else 0.0


def word_score(truth: str, found: str) -> WordScore:
    """Compare the words of two texts exactly; fold case first if it should not count."""
    wanted, got = Counter(truth.split()), Counter(found.split())
    common = sum((wanted & got).values())
    return WordScore(recall=common / wanted.total() if wanted else 1.0, precision=common / got.total() if got else 1.0)

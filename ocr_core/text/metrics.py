"""How well text was read: error rates and word scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein


def edit_distance(truth: Sequence[Hashable], found: Sequence[Hashable]) -> int:
    """Return the fewest insertions, deletions and substitutions that turn one sequence into the other."""
    return Levenshtein.distance(truth, found)


def character_error_rate(truth: str, found: str) -> float:
    """Return edits a character of the truth; may pass 1. White space counts as one blank."""
    return _rate(" ".join(truth.split()), " ".join(found.split()))


def word_error_rate(truth: str, found: str) -> float:
    """Return edits a word of the truth; may pass 1."""
    return _rate(truth.split(), found.split())


def _rate(truth: Sequence[Hashable], found: Sequence[Hashable]) -> float:
    if not truth:
        return float(bool(found))
    return edit_distance(truth, found) / len(truth)


@dataclass(frozen=True, slots=True)
class WordScore:
    """Words compared as a bag: order does not count, number does.

    Attributes:
        recall: Share of the truth's words that were found, 0-1; 1 when there is nothing to find.
        precision: Share of the found words that are in the truth, 0-1; 1 when nothing was found.
    """

    recall: float
    precision: float

    @property
    def f1(self) -> float:
        """Harmonic mean of both, 0-1."""
        total = self.recall + self.precision
        return 2 * self.recall * self.precision / total if total else 0.0


def word_score(truth: str, found: str) -> WordScore:
    """Compare two texts word by word, as they are written (fold case first if it should not count)."""
    wanted, got = Counter(truth.split()), Counter(found.split())
    common = sum((wanted & got).values())
    return WordScore(recall=common / wanted.total() if wanted else 1.0, precision=common / got.total() if got else 1.0)

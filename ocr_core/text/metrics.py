"""How well text was read: error rates and word scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


def edit_distance(truth: Sequence[Hashable], found: Sequence[Hashable]) -> int:
    """Returns the fewest insertions, deletions and substitutions that turn one sequence into the other.

    Bit-parallel, one column of the table in an integer of as many bits as `found` has items: H. Hyyrö, "Explaining and
    extending the bit-parallel approximate string matching algorithm of Myers", University of Tampere, 2001.
    """
    if not found:
        return len(truth)
    places: dict[Hashable, int] = {}
    for place, got in enumerate(found):
        places[got] = places.get(got, 0) | 1 << place
    full, last, distance = (1 << len(found)) - 1, 1 << (len(found) - 1), len(found)
    rises, falls = full, 0  # where the column goes up or down by one
    for wanted in truth:
        equal = places.get(wanted, 0)
        diagonal = ((((equal & rises) + rises) ^ rises) | equal | falls) & full
        right_rises = falls | (full & ~(diagonal | rises))
        right_falls = diagonal & rises
        distance += bool(right_rises & last) - bool(right_falls & last)
        right_rises = right_rises << 1 | 1
        rises = (right_falls << 1 | ~(diagonal | right_rises)) & full
        falls = right_rises & diagonal & full
    return distance


def character_error_rate(truth: str, found: str) -> float:
    """Returns edits a character of the truth; may pass 1. White space counts as one blank."""
    return _rate(" ".join(truth.split()), " ".join(found.split()))


def word_error_rate(truth: str, found: str) -> float:
    """Returns edits a word of the truth; may pass 1."""
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
    """Compares two texts word by word, as they are written (fold case before, where it should not count)."""
    wanted, got = Counter(truth.split()), Counter(found.split())
    common = sum((wanted & got).values())
    return WordScore(recall=common / wanted.total() if wanted else 1.0, precision=common / got.total() if got else 1.0)

"""CTC decoding, compared with brute force over all paths where that is possible."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkstream.ocr_core.engines.ppocr.ctc import Posterior, align, beam_search, greedy, log_likelihood
from inkstream.ocr_core.engines.ppocr.lexicon import Lexicon, WordList
from inkstream.ocr_core.errors import ConfigError

ALPHABET = ["", "a", "b", " "]
COLUMNS = {character: column for column, character in enumerate(ALPHABET)}


class Indifferent:
    def whole(self, word: str) -> float:  # noqa: ARG002
        return 0.0

    def begun(self, word: str) -> float:  # noqa: ARG002
        return 0.0


@st.composite
def posteriors(draw: st.DrawFn) -> Posterior:
    steps = draw(st.integers(1, 5))
    raw = draw(st.lists(st.lists(st.floats(0.05, 1), min_size=4, max_size=4), min_size=steps, max_size=steps))
    weights = np.array(raw, np.float32)
    shares: Posterior = weights / weights.sum(axis=1, keepdims=True)
    return shares


def every_text(posterior: Posterior) -> dict[str, float]:
    """Return the probability of each text: the sum over all paths that spell it."""
    totals: dict[str, float] = defaultdict(float)
    for path in itertools.product(range(len(ALPHABET)), repeat=len(posterior)):
        text = "".join(ALPHABET[key] for key, _ in itertools.groupby(path))
        totals[text] += float(np.prod([posterior[step, column] for step, column in enumerate(path)]))
    return totals


@given(posteriors())
@settings(max_examples=60)
def test_likelihood_is_the_sum_over_paths(posterior: Posterior) -> None:
    for text, probability in every_text(posterior).items():
        assert np.exp(log_likelihood(posterior, COLUMNS, text)) == pytest.approx(probability, rel=1e-3)


@given(posteriors())
@settings(max_examples=60)
def test_a_wide_beam_finds_the_likeliest_text(posterior: Posterior) -> None:
    best = beam_search(posterior, ALPHABET, Indifferent(), width=500)
    totals: dict[str, float] = defaultdict(float)
    for text, probability in every_text(posterior).items():
        if not text.startswith(" ") and "  " not in text:
            totals[text.rstrip()] += probability
    assert totals[best] == pytest.approx(max(totals.values()), rel=1e-3)


@given(posteriors())
@settings(max_examples=60)
def test_greedy_text_is_aligned_in_order(posterior: Posterior) -> None:
    text = greedy(posterior, ALPHABET)
    aligned = align(posterior, COLUMNS, text)
    assert "".join(a.character for a in aligned) == text
    places = [place for a in aligned for place in (a.first, a.last)]
    assert places == sorted(places)
    assert all(0 <= place < len(posterior) for place in places)


def test_a_text_that_does_not_fit_is_not_aligned() -> None:
    assert align(np.full((2, 4), 0.25, np.float32), COLUMNS, "aaa") == []


def sure(text: str, doubts: dict[int, dict[str, float]], alphabet: list[str]) -> Posterior:
    """Return one step per character, each followed by a blank; `doubts` shares a step between characters."""
    rows = []
    for index, character in enumerate(text):
        row = np.full(len(alphabet), 1e-6, np.float32)
        for letter, probability in doubts.get(index, {character: 1.0}).items():
            row[alphabet.index(letter)] = probability
        blank = np.full(len(alphabet), 1e-6, np.float32)
        blank[0] = 1.0
        rows += [row, blank]
    return np.array(rows)


def test_a_lexicon_decides_between_nearly_equal_readings() -> None:
    alphabet = ["", *"abcdefghijklmnopqrstuvwxyz", " "]
    posterior = sure("it woll be", {4: {"o": 0.6, "i": 0.4}}, alphabet)
    assert greedy(posterior, alphabet) == "it woll be"
    assert beam_search(posterior, alphabet, Lexicon(["en"], 0.4), 32) == "it will be"
    assert beam_search(posterior, alphabet, Lexicon(["en"], 0.0), 32) == "it woll be"


def test_a_lexicon_does_not_change_certain_readings() -> None:
    alphabet = ["", *"abcdefghijklmnopqrstuvwxyz0123456789-.", " "]
    for text in ("zqxv 12-07.33", "inkstream"):
        assert beam_search(sure(text, {}, alphabet), alphabet, Lexicon(["en"], 0.4), 32) == text


def test_a_word_list_scores_words_and_prefixes() -> None:
    words = WordList({"will": 90, "willow": 10})
    assert words.whole("will") == pytest.approx(np.log(0.9), rel=1e-5)
    assert words.whole("wil") == -np.inf
    assert words.begun("wil") == pytest.approx(np.log(0.9), rel=1e-5)
    assert words.begun("willo") == pytest.approx(np.log(0.1), rel=1e-5)
    assert words.begun("x") == -np.inf


def test_a_language_without_a_word_list_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="no word list for 'xx'"):
        Lexicon(["xx"], 0.4)

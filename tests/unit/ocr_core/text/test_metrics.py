from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.text.metrics import WordScore, character_error_rate, edit_distance, word_error_rate, word_score


@pytest.mark.parametrize(
    ("truth", "found", "edits"),
    [("", "", 0), ("abc", "abc", 0), ("kitten", "sitting", 3), ("", "abc", 3), ("flaw", "lawn", 2)],
)
def test_edit_distance_is_symmetric_and_matches_known_values(truth: str, found: str, edits: int) -> None:
    assert edit_distance(truth, found) == edit_distance(found, truth) == edits


def test_error_rates_normalize_whitespace_and_accept_an_empty_truth() -> None:
    assert character_error_rate("a  b\nc", "a b c") == 0
    assert character_error_rate("abcd", "abxd") == 0.25
    assert word_error_rate("one two three", "one too three") == pytest.approx(1 / 3)
    assert word_error_rate("", "") == 0
    assert word_error_rate("", "noise") == 1


def test_word_score_counts_repeats() -> None:
    assert word_score("the cat the dog", "dog the bird") == WordScore(recall=0.5, precision=2 / 3)
    assert word_score("", "") == WordScore(1, 1)
    assert WordScore(0, 0).f1 == 0
    assert WordScore(0.5, 1).f1 == pytest.approx(2 / 3)


def _table_distance(truth: str, found: str) -> int:
    """Return the edit distance from Wagner and Fischer's table, row by row: slow and simple."""
    row = list(range(len(found) + 1))
    for number, wanted in enumerate(truth, 1):
        above, row = row, [number]
        for column, got in enumerate(found, 1):
            row.append(min(above[column - 1] + (wanted != got), above[column] + 1, row[-1] + 1))
    return row[-1]


@given(st.text("abcd", max_size=80), st.text("abcd", max_size=80))
def test_edit_distance_matches_wagner_and_fischer_s_table(truth: str, found: str) -> None:
    assert edit_distance(truth, found) == _table_distance(truth, found)

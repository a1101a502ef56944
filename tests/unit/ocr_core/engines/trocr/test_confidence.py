"""Words and confidences from the tokens of a line, and texts that repeat without end."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.engines.trocr.confidence import Token, repeats, words_of_tokens


def test_words_share_the_line_by_the_widths_of_their_letters() -> None:
    tokens = [Token(3, 0.9), Token(7, 0.9), Token(7, 0.9)]
    first, second = words_of_tokens("ill www", tokens, finished=True)
    assert (first.text, first.start, second.text, second.end) == ("ill", 0.0, "www", 1.0)
    assert first.end - first.start < (second.end - second.start) / 2
    assert first.confidence == pytest.approx(90)


def test_a_doubt_costs_its_word_most_and_its_line_something() -> None:
    doubtful = words_of_tokens("one two", [Token(3, 0.2), Token(7, 0.99), Token(7, 0.99)], finished=True)
    sure = words_of_tokens("one two", [Token(3, 0.99), Token(7, 0.99), Token(7, 0.99)], finished=True)
    assert doubtful[0].confidence < doubtful[1].confidence < sure[1].confidence
    assert words_of_tokens("one two", [Token(3, 0.99), Token(7, 0.99)], finished=False)[0].confidence < 75


def test_a_character_of_several_tokens_counts_all_of_them() -> None:
    (word,) = words_of_tokens("é", [Token(1, 0.25), Token(1, 1.0)], finished=True)
    assert 25 < word.confidence < 100
    assert words_of_tokens("", [Token(0, 0.9)], finished=True) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the the the", True),
        ("of the of the of the", True),
        ("abababababababab", True),
        ("00000000000", True),
        ("that that is is", False),
        ("................", False),
        ("- - - - -", False),
        ("1,000,000,000", False),
        ("", False),
    ],
)
def test_loops_are_told_from_rules_and_numbers(text: str, expected: bool) -> None:
    assert repeats(text) is expected

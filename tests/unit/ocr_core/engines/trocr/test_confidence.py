"""Words and confidences from the tokens of a line, and texts that repeat without end."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.engines.trocr.confidence import Token, repeats, words_of_tokens


def test_words_divide_the_line_by_the_widths_of_their_letters() -> None:
    tokens = [Token(3, 0.9), Token(7, 0.9), Token(7, 0.9)]
    first, second = words_of_tokens("ill www", tokens, finished=True)
    assert (first.text, first.start, second.text, second.end) == ("ill", 0.0, "www", 1.0)
    assert first.end - first.start < (second.end - second.start) / 2
    assert first.confidence == pytest.approx(90)


def test_an_unsure_token_lowers_its_word_most_and_the_line_a_little() -> None:
    doubtful = words_of_tokens("one two", [Token(3, 0.2), Token(7, 0.99), Token(7, 0.99)], finished=True)
    sure = words_of_tokens("one two", [Token(3, 0.99), Token(7, 0.99), Token(7, 0.99)], finished=True)
    assert doubtful[0].confidence < doubtful[1].confidence < sure[1].confidence
    assert words_of_tokens("one two", [Token(3, 0.99), Token(7, 0.99)], finished=False)[0].confidence < 75


def test_a_word_confidence_covers_all_tokens_of_a_character() -> None:
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
def test_repeats_finds_loops_but_not_rules_and_numbers(text: str, expected: bool) -> None:
    assert repeats(text) is expected

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from inkstream.ocr_core.pixels import Pixels
from inkstream.ocr_core.stages.verify.judge import Verdict, judge_drawn, judge_hidden
from inkstream.ocr_core.stages.verify.reader import SampleReader
from inkstream.ocr_core.text.words import LayerWord
from tests.unit.ocr_core.stages.verify.test_sample import layer

LINES = [f"Line {number} of the report for {2000 + number}" for number in range(12)]
PAGE = np.repeat(np.arange(20, dtype=np.uint8), 40)[:, None].repeat(800, axis=1)
"""A page on which the gray of each line is its number."""

Judge = Callable[[Sequence[LayerWord], Pixels, int, SampleReader], Verdict]


def judged(judge: Judge, change: Callable[[str], str], confidence: float = 95.0) -> tuple[Verdict, int]:
    """Return the verdict if the engine reads the changed lines, and the number of lines that it read."""
    read_lines: list[int] = []

    def read(cuts: Sequence[Pixels], _resolution: int) -> list[tuple[str, float]]:
        numbers = [255 - int(np.median(cut)) for cut in cuts]  # dark crops are inverted
        read_lines.extend(numbers)
        return [(change(LINES[number]), confidence) for number in numbers]

    return judge(layer(*LINES), PAGE, 300, read), len(read_lines)


def same(text: str) -> str:
    return text


def shifted(text: str) -> str:
    return "".join(chr(ord(c) + 3) if c.isalnum() else c for c in text)


def other_digits(text: str) -> str:
    return "".join(str(int(c) * 7 % 10 + 1)[-1] if c.isdigit() else c for c in text)


def a_tenth_wrong(text: str) -> str:
    return text.replace("e", "c")


@pytest.mark.parametrize("judge", [judge_drawn, judge_hidden])
def test_a_layer_that_agrees_is_believed(judge: Judge) -> None:
    assert judged(judge, same)[0] == Verdict(1.0, True)


@pytest.mark.parametrize("judge", [judge_drawn, judge_hidden])
@pytest.mark.parametrize("change", [shifted, other_digits])
def test_wrong_letters_or_wrong_digits_are_not_believed(judge: Judge, change: Callable[[str], str]) -> None:
    assert not judged(judge, change)[0].is_believed


def test_an_earlier_ocr_is_held_to_more_than_drawn_text() -> None:
    assert judged(judge_drawn, a_tenth_wrong)[0].is_believed
    assert not judged(judge_hidden, a_tenth_wrong)[0].is_believed


def test_a_doubt_is_confirmed_by_a_larger_sample_unless_it_is_flagrant() -> None:
    lines_if_sound, lines_if_shifted = judged(judge_drawn, same)[1], judged(judge_drawn, shifted)[1]
    assert lines_if_sound == lines_if_shifted < judged(judge_drawn, other_digits)[1]


def test_an_unsure_engine_is_no_evidence_against_drawn_text() -> None:
    assert judged(judge_drawn, shifted, confidence=40)[0] == Verdict(None, True)


def test_an_earlier_ocr_that_cannot_be_compared_is_believed_only_in_another_script() -> None:
    def greek(text: str) -> str:
        return "".join(chr(0x3B1 + ord(c) % 17) if c.isalpha() else c for c in text)

    assert judged(judge_hidden, greek, confidence=40)[0] == Verdict(None, True)
    assert judged(judge_hidden, shifted, confidence=40)[0] == Verdict(None, False)

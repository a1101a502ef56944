"""Results leave the sandbox complete, and malformed ones are rejected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inkstream import Box, Failure, FailureKind, Level, PageResult, Region
from inkstream.ocr_core.page import Candidate, Decision, nothing_selected

WORD = Region(1, 0, Level.WORD, Box(1.5, 2, 3, 4, 0.25), "hi", 96.5, "ppocr")
SPACE = Region(2, 0, Level.WORD, Box(5, 2, 1, 4), " ", None, "tesseract")
LINE = Region(0, None, Level.LINE, Box(1, 2, 3, 4), None, None, "tesseract")
DECISION = Decision(
    0, "ppocr", "tesseract below 93", (Candidate("tesseract", "h1", 40.0), Candidate("ppocr", "hi", 96.5))
)
RESULTS = [
    PageResult(3, 7, "hi", 96.5, (LINE, WORD), 10, 20, 300, "ppocr", 1.25, overlay=b"png", overlay_format="png"),
    PageResult(0, 1, "hi", routing=(DECISION, Decision(None, None, "tesseract found nothing", ())), notes=("a", "b")),
    PageResult(None, None, failure=Failure(FailureKind.CORRUPT, "torn")),
]


@pytest.mark.parametrize("result", RESULTS)
def test_a_result_survives_the_wire(result: PageResult) -> None:
    fields, overlay = result.to_wire()
    assert PageResult.from_wire(json.loads(json.dumps(fields)), overlay) == result


@pytest.mark.parametrize("region", [WORD, SPACE, LINE])
def test_a_region_survives_a_round_trip_as_a_dict(region: Region) -> None:
    assert Region.from_dict(json.loads(json.dumps(region.to_dict()))) == region


@pytest.mark.parametrize(
    "change",
    [
        {"level": "letter"},
        {"box": {"left": 0}},
        {"box": [1, 2, 3, 4, 5]},
        {"box": {**WORD.box.to_dict(), "width": float("nan")}},
    ],
)
def test_a_malformed_region_is_rejected(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        Region.from_dict({**WORD.to_dict(), **change})


@pytest.mark.parametrize("change", [{"region": "1"}, {"kept": 5}, {"candidates": [{"engine": "x"}]}, {"candidates": 1}])
def test_a_malformed_decision_is_rejected(change: dict[str, Any]) -> None:
    assert Decision.from_dict(DECISION.to_dict()) == DECISION
    with pytest.raises((ValueError, TypeError, KeyError)):
        Decision.from_dict({**DECISION.to_dict(), **change})


def test_is_space_is_true_only_for_a_space() -> None:
    assert [region.is_space for region in (WORD, SPACE, LINE)] == [False, True, False]


def test_a_file_without_selected_pages_has_one_result_without_failure() -> None:
    result = nothing_selected(4, "7-")
    assert (result.pagenum, result.total_pages, result.text, result.failure) == (None, 4, "", None)
    assert result.notes == ("none of its 4 pages is among those to read (7-)",)

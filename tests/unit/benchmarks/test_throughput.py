"""A fast run that did not read the pages must not win."""

from __future__ import annotations

import pytest

from benchmarks.contenders import Outcome
from benchmarks.throughput import _figures, _order, _table, word_recall

TRUTH = {"a.pdf": "the bank has confirmed the transfer", "b.pdf": "nobody remembers"}


def test_recall_counts_words_per_file_including_repeats() -> None:
    assert word_recall(dict(TRUTH), TRUTH) == 1.0
    assert word_recall({"a.pdf": "Nobody remembers", "b.pdf": "The bank"}, TRUTH) == 0.0
    assert word_recall({"a.pdf": "the bank: has confirmed"}, TRUTH) == pytest.approx(4 / 8)


def test_each_round_starts_with_the_next_contender() -> None:
    assert [_order(["a", "b", "c"], number)[0] for number in range(4)] == ["a", "b", "c", "a"]


def test_startup_is_compared_with_startup_and_work_with_work() -> None:
    outcomes = {
        "bare loop": Outcome(12.0, TRUTH, work_seconds=10.0),
        "inkstream": Outcome(18.0, TRUTH),
        "inkstream, steady": Outcome(40.0, TRUTH, work_seconds=11.0),
    }

    ratios = {figure.row: figure.ratio for figure in _figures(outcomes, TRUTH)}

    assert ratios == {
        "bare loop": 1.0,
        "bare loop, work only": 1.0,
        "inkstream": 1.5,
        "inkstream, steady": 1.1,
    }


def test_a_run_that_read_nothing_has_no_figure() -> None:
    outcomes = {"bare loop": Outcome(12.0, TRUTH, work_seconds=10.0), "xargs": Outcome(0.1, {})}

    table = _table(_figures(outcomes, TRUTH), {"OCRmyPDF": "not installed: ocrmypdf"})

    (xargs,) = (line for line in table.splitlines() if line.startswith("xargs"))
    assert "does not count" in xargs
    assert "not installed: ocrmypdf" in table

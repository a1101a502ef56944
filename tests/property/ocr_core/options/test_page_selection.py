"""Page selections: the pages that are read are the ones requested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.options.page_selection import normalized, pages_of

numbers = st.integers(1, 30)
parts = st.one_of(
    numbers.map(lambda n: (str(n), {n})),
    st.tuples(numbers, numbers).map(lambda p: (f"{min(p)}-{max(p)}", set(range(min(p), max(p) + 1)))),
    numbers.map(lambda n: (f" {n} - ", set(range(n, 31)))),
)


@given(st.lists(parts, min_size=1, max_size=6), st.integers(1, 30))
def test_a_selection_is_the_union_of_its_parts_within_the_file(chosen: list[tuple[str, set[int]]], total: int) -> None:
    text = ",".join(part for part, _ in chosen)
    wanted = set().union(*(pages for _, pages in chosen))
    assert list(pages_of(normalized(text), total)) == sorted(n - 1 for n in wanted if n <= total)


@pytest.mark.parametrize(
    ("text", "total", "pages"),
    [
        ("last", 7, [6]),
        ("1-3, 7, LAST", 9, [0, 1, 2, 6, 8]),
        ("2-last", 4, [1, 2, 3]),
        ("last-", 3, [2]),
        ("9", 3, []),
        (3, 5, [2]),
        ("1-999999999", 2, [0, 1]),
    ],
)
def test_typical_selections_are_understood(text: str | int, total: int, pages: list[int]) -> None:
    assert list(PipelineOptions.model_validate({"pages": text}).selected(total)) == pages


def test_all_pages_are_selected_by_default() -> None:
    assert list(PipelineOptions().selected(3)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a page"),
        ("1,,2", "not a page"),
        ("one", "not a page"),
        ("-3", "not a page"),
        ("1.5", "not a page"),
        ("0", "from 1"),
        ("0-4", "from 1"),
        ("1-0", "from 1"),
        ("7-3", "backwards"),
        ("last-2", "backwards"),
    ],
)
def test_invalid_selections_are_rejected_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        PipelineOptions(pages=text)


def test_equivalent_selections_give_equal_options() -> None:
    assert PipelineOptions(pages="1 - 3,Last").canonical() == PipelineOptions(pages="1-3,last").canonical()

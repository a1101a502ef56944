"""Groups hold the items in order, each as large as its limits allow."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.grouping import groups_within


@given(st.lists(st.integers(0, 50), max_size=40), st.none() | st.integers(0, 90), st.none() | st.integers(1, 9))
def test_groups_hold_the_items_in_order_within_the_limits(
    sizes: list[int], most: int | None, count: int | None
) -> None:
    groups = list(groups_within(sizes, float, most, count))
    assert [size for group in groups for size in group] == sizes
    for group in groups:
        assert group
        assert count is None or len(group) <= count
        assert most is None or len(group) == 1 or sum(group) <= most
    for group, following in pairwise(groups):
        full = count is not None and len(group) == count
        assert full or (most is not None and sum(group) + following[0] > most)

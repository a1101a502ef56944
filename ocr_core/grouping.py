"""Things in order, cut into groups of a limited size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def groups_within(
    items: Iterable[Item], size_of: Callable[[Item], float], most: float | None, count: int | None = None
) -> Iterator[list[Item]]:
    """Yield the items in groups, in order, each group as long as its limits allow.

    Args:
        items: Any number of them.
        size_of: Returns an item's size.
        most: Size that a group may have; None for any. A larger item is a group of its own.
        count: Items that a group may have; None for any number.
    """
    group: list[Item] = []
    total = 0.0
    for item in items:
        size = size_of(item)
        if group and (len(group) == count or total + size > (math.inf if most is None else most)):
            yield group
            group, total = [], 0.0
        group.append(item)
        total += size
    if group:
        yield group

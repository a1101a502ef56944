"""Groups of limited size, cut from items in order."""

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
        items: The items, in order.
        size_of: Returns an item's size.
        most: Largest total size of a group; None for no limit. A larger item is a group by itself.
        count: Most items in a group; None for no limit.
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

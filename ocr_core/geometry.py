"""Boxes on a page, in pixels, origin top left, y down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, perhaps rotated about its own centre.

    Attributes:
        left: x of the left edge before rotation, pixels.
        top: y of the top edge before rotation, pixels.
        width: Pixels along the text.
        height: Pixels across the text.
        angle: Degrees clockwise (as seen on the page) about the centre.
    """

    left: float
    top: float
    width: float
    height: float
    angle: float = 0.0

    @property
    def right(self) -> float:
        """X of the right edge before rotation."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Y of the bottom edge before rotation."""
        return self.top + self.height

    def corners(self) -> tuple[tuple[float, float], ...]:
        """Returns the four corners (x, y): top left, top right, bottom right, bottom left, after rotation."""
        cx, cy = self.left + self.width / 2, self.top + self.height / 2
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        halves = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return tuple(
            (
                cx + sx * self.width / 2 * cos - sy * self.height / 2 * sin,
                cy + sx * self.width / 2 * sin + sy * self.height / 2 * cos,
            )
            for sx, sy in halves
        )

    def to_list(self) -> list[float]:
        """Returns `[left, top, width, height, angle]`."""
        return [self.left, self.top, self.width, self.height, self.angle]

    @classmethod
    def from_list(cls, values: list[float]) -> Self:
        """Rebuilds what `to_list` gave.

        Raises:
            ValueError: If there are not five finite numbers.
        """
        if len(values) != 5 or not all(math.isfinite(v) for v in values):
            raise ValueError(f"a box is five finite numbers, not {values!r}")
        return cls(*values)

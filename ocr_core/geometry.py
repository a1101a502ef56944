"""Boxes on a page, in pixels, origin top left, y down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


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

    @property
    def center(self) -> tuple[float, float]:
        """The centre (x, y), about which the box is rotated."""
        return self.left + self.width / 2, self.top + self.height / 2

    def along(self, x: float, y: float) -> tuple[float, float]:
        """Return a point of the page in the box's own axes: pixels along and across the text, from its top left."""
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        right, down = x - self.center[0], y - self.center[1]
        return right * cos + down * sin + self.width / 2, down * cos - right * sin + self.height / 2

    def corners(self) -> tuple[tuple[float, float], ...]:
        """Return the four corners (x, y): top left, top right, bottom right, bottom left, after rotation."""
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

    def to_dict(self) -> dict[str, float]:
        """Return `left`, `top`, `width`, `height` and `angle` by name."""
        return {"left": self.left, "top": self.top, "width": self.width, "height": self.height, "angle": self.angle}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Rebuild what `to_dict` returned; other keys are ignored.

        Raises:
            ValueError: If a number is not finite.
            KeyError: If one is missing.
            TypeError: If one is not a number.
        """
        numbers = [values[name] for name in ("left", "top", "width", "height", "angle")]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"a box is five finite numbers, not {numbers!r}")
        return cls(*numbers)


@dataclass(frozen=True, slots=True)
class Affine:
    """A map of the plane from (x, y) to (a x + b y + c, d x + e y + f).

    Pixel (column, row) covers the square from (column, row) to (column + 1, row + 1).
    """

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 1.0
    f: float = 0.0

    @classmethod
    def turn(cls, degrees: float, centre: tuple[float, float], onto: tuple[float, float]) -> Self:
        """Return the map that turns clockwise (as seen on the page) about `centre`, then moves `centre` to `onto`."""
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        (x, y), (u, v) = centre, onto
        return cls(cos, -sin, u - cos * x + sin * y, sin, cos, v - sin * x - cos * y)

    @property
    def scale(self) -> float:
        """Side of a mapped pixel; the geometric mean of its sides if it is stretched."""
        return math.sqrt(abs(self.a * self.e - self.b * self.d))

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return the mapped point."""
        return self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f

    def then(self, after: Affine) -> Affine:
        """Return the map that applies this one first and `after` second."""
        return Affine(
            after.a * self.a + after.b * self.d,
            after.a * self.b + after.b * self.e,
            after.a * self.c + after.b * self.f + after.c,
            after.d * self.a + after.e * self.d,
            after.d * self.b + after.e * self.e,
            after.d * self.c + after.e * self.f + after.f,
        )

    def inverse(self) -> Affine:
        """Return the map back.

        Raises:
            ZeroDivisionError: If this map makes the plane a line.
        """
        area = self.a * self.e - self.b * self.d
        return Affine(
            self.e / area,
            -self.b / area,
            (self.b * self.f - self.e * self.c) / area,
            -self.d / area,
            self.a / area,
            (self.d * self.c - self.a * self.f) / area,
        )

    def box(self, box: Box) -> Box:
        """Return the mapped box, with the angle that its text then has.

        The result is exact for rotations, and for stretching upright boxes. Otherwise it keeps the centre, the
        direction of the text and the area.
        """
        x, y = self.point(box.left + box.width / 2, box.top + box.height / 2)
        cos, sin = math.cos(math.radians(box.angle)), math.sin(math.radians(box.angle))
        across, down = self.a * cos + self.b * sin, self.d * cos + self.e * sin
        along = math.hypot(across, down)
        width, height = box.width * along, box.height * self.scale**2 / along
        return Box(x - width / 2, y - height / 2, width, height, math.degrees(math.atan2(down, across)))

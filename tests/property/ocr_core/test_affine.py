"""Pixels and boxes move alike, for any rotation, scale and shift."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.geometry import Affine, Box
from inkstream.ocr_core.stages.preprocess.components import find_components
from inkstream.ocr_core.stages.preprocess.orient import turn

places = st.floats(-1e4, 1e4)
angles = st.floats(-360, 360)
factors = st.floats(0.1, 10)
points = st.tuples(places, places)
boxes = st.builds(Box, places, places, st.floats(1, 1e4), st.floats(1, 1e4), angles)
turns = st.builds(Affine.turn, angles, points, points)
zooms = st.builds(lambda k, c, f: Affine(k, 0, c, 0, k, f), factors, places, places)
stretches = st.builds(lambda x, y, c, f: Affine(x, 0, c, 0, y, f), factors, factors, places, places)
similar = st.lists(turns | zooms, max_size=4)


def close(wanted: tuple[float, ...]) -> Any:
    return pytest.approx(wanted, rel=1e-6, abs=1e-2)


def chained(maps: list[Affine]) -> Affine:
    made = Affine()
    for each in maps:
        made = made.then(each)
    return made


def inverse(given: Affine) -> Affine:
    area = given.a * given.e - given.b * given.d
    a, b, d, e = given.e / area, -given.b / area, -given.d / area, given.a / area
    return Affine(a, b, -a * given.c - b * given.f, d, e, -d * given.c - e * given.f)


@given(st.lists(turns | zooms | stretches, max_size=4), points)
def test_a_chain_does_one_after_the_other(maps: list[Affine], point: tuple[float, float]) -> None:
    wanted = point
    for each in maps:
        wanted = each.point(*wanted)
    assert chained(maps).point(*point) == close(wanted)


@given(angles, points, points)
def test_the_centre_of_a_turn_goes_where_it_should(
    degrees: float, centre: tuple[float, float], onto: tuple[float, float]
) -> None:
    made = Affine.turn(degrees, centre, onto)
    assert made.point(*centre) == pytest.approx(onto, abs=1e-6)
    assert made.scale == pytest.approx(1)


@given(similar, boxes)
def test_a_boxs_corners_go_where_their_points_go(maps: list[Affine], box: Box) -> None:
    made = chained(maps)
    for moved, corner in zip(made.box(box).corners(), box.corners(), strict=True):
        assert moved == close(made.point(*corner))


@given(similar, boxes)
def test_a_box_comes_back(maps: list[Affine], box: Box) -> None:
    made = chained(maps)
    back = inverse(made).box(made.box(box))
    assert (back.left, back.top, back.width, back.height) == close((box.left, box.top, box.width, box.height))
    assert math.cos(math.radians(back.angle - box.angle)) == pytest.approx(1)


@given(stretches, turns, boxes)
def test_an_upright_box_is_stretched_then_turned(stretch: Affine, turned: Affine, box: Box) -> None:
    """This is the inverse of deskewing first and scaling then."""
    upright = Box(box.left, box.top, box.width, box.height)
    made = stretch.then(turned)
    for moved, corner in zip(made.box(upright).corners(), upright.corners(), strict=True):
        assert moved == close(made.point(*corner))


@given(stretches, boxes)
def test_stretching_keeps_area_and_centre(stretch: Affine, box: Box) -> None:
    made = stretch.box(box)
    assert made.width * made.height == pytest.approx(box.width * box.height * stretch.scale**2)
    centre = stretch.point(box.left + box.width / 2, box.top + box.height / 2)
    assert (made.left + made.width / 2, made.top + made.height / 2) == close(centre)


@given(st.sampled_from([0, 90, 180, 270]), st.integers(1, 20), st.integers(1, 20), st.data())
def test_quarter_turns_name_the_pixel_they_came_from(angle: int, height: int, width: int, data: st.DataObject) -> None:
    pixels = np.arange(height * width, dtype=np.uint16).reshape(height, width).astype(np.uint8)
    made, back = turn(pixels, angle)
    row = data.draw(st.integers(0, made.shape[0] - 1))
    column = data.draw(st.integers(0, made.shape[1] - 1))
    x, y = back.point(column + 0.5, row + 0.5)
    assert made[row, column] == pixels[int(y), int(x)]


pictures = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: st.lists(st.booleans(), min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
        lambda ink: np.array(ink).reshape(size)
    )
)


@given(pictures)
def test_components_are_what_flooding_finds(ink: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
    found = find_components(ink)
    made = [
        {(int(n) // ink.shape[1], int(n) % ink.shape[1]) for n in found.pixels_of(np.arange(len(found.area)) == label)}
        for label in range(len(found.area))
    ]
    assert sorted(map(sorted, made)) == sorted(map(sorted, flooded(ink)))
    for pixels, area, width, height in zip(made, found.area, found.width, found.height, strict=True):
        rows, columns = [row for row, _ in pixels], [column for _, column in pixels]
        assert area == len(pixels)
        assert (height, width) == (max(rows) - min(rows) + 1, max(columns) - min(columns) + 1)


def flooded(ink: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> list[set[tuple[int, int]]]:
    left = {(int(row), int(column)) for row, column in np.argwhere(ink)}
    parts = []
    while left:
        front, part = [left.pop()], set()
        while front:
            row, column = front.pop()
            part.add((row, column))
            near = {(row + dy, column + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            front += near
        parts.append(part)
    return parts

"""Pixels and boxes move together under any rotation, scale and shift."""

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
    chain = Affine()
    for each in maps:
        chain = chain.then(each)
    return chain


def inverse(affine: Affine) -> Affine:
    area = affine.a * affine.e - affine.b * affine.d
    a, b, d, e = affine.e / area, -affine.b / area, -affine.d / area, affine.a / area
    return Affine(a, b, -a * affine.c - b * affine.f, d, e, -d * affine.c - e * affine.f)


@given(st.lists(turns | zooms | stretches, max_size=4), points)
def test_a_chain_applies_its_maps_in_order(maps: list[Affine], point: tuple[float, float]) -> None:
    wanted = point
    for each in maps:
        wanted = each.point(*wanted)
    assert chained(maps).point(*point) == close(wanted)


@given(angles, points, points)
def test_a_turn_moves_its_centre_to_the_given_point(
    degrees: float, centre: tuple[float, float], onto: tuple[float, float]
) -> None:
    affine = Affine.turn(degrees, centre, onto)
    assert affine.point(*centre) == pytest.approx(onto, abs=1e-6)
    assert affine.scale == pytest.approx(1)


@given(similar, boxes)
def test_the_corners_of_a_box_move_like_points(maps: list[Affine], box: Box) -> None:
    affine = chained(maps)
    for moved, corner in zip(affine.box(box).corners(), box.corners(), strict=True):
        assert moved == close(affine.point(*corner))


@given(similar, boxes)
def test_a_box_survives_a_map_and_its_inverse(maps: list[Affine], box: Box) -> None:
    affine = chained(maps)
    back = inverse(affine).box(affine.box(box))
    assert (back.left, back.top, back.width, back.height) == close((box.left, box.top, box.width, box.height))
    assert math.cos(math.radians(back.angle - box.angle)) == pytest.approx(1)


@given(stretches, turns, boxes)
def test_an_upright_box_is_stretched_then_turned(stretch: Affine, turned: Affine, box: Box) -> None:
    """This is the inverse of deskewing first and scaling then."""
    upright = Box(box.left, box.top, box.width, box.height)
    affine = stretch.then(turned)
    for moved, corner in zip(affine.box(upright).corners(), upright.corners(), strict=True):
        assert moved == close(affine.point(*corner))


@given(stretches, boxes)
def test_stretching_scales_the_area_and_moves_the_centre_like_a_point(stretch: Affine, box: Box) -> None:
    stretched = stretch.box(box)
    assert stretched.width * stretched.height == pytest.approx(box.width * box.height * stretch.scale**2)
    centre = stretch.point(box.left + box.width / 2, box.top + box.height / 2)
    assert (stretched.left + stretched.width / 2, stretched.top + stretched.height / 2) == close(centre)


@given(st.sampled_from([0, 90, 180, 270]), st.integers(1, 20), st.integers(1, 20), st.data())
def test_quarter_turns_map_each_pixel_back_to_its_source(
    angle: int, height: int, width: int, data: st.DataObject
) -> None:
    pixels = np.arange(height * width, dtype=np.uint16).reshape(height, width).astype(np.uint8)
    turned, back = turn(pixels, angle)
    row = data.draw(st.integers(0, turned.shape[0] - 1))
    column = data.draw(st.integers(0, turned.shape[1] - 1))
    x, y = back.point(column + 0.5, row + 0.5)
    assert turned[row, column] == pixels[int(y), int(x)]


pictures = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: st.lists(st.booleans(), min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
        lambda ink: np.array(ink).reshape(size)
    )
)


@given(pictures)
def test_components_match_a_flood_fill(ink: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> None:
    table = find_components(ink)
    components = [
        {(int(n) // ink.shape[1], int(n) % ink.shape[1]) for n in table.pixels_of(np.arange(len(table.area)) == label)}
        for label in range(len(table.area))
    ]
    assert sorted(map(sorted, components)) == sorted(map(sorted, flooded(ink)))
    for pixels, area, width, height in zip(components, table.area, table.width, table.height, strict=True):
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

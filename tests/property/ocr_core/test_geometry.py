"""Boxes, the tree of regions, the wire format and the TSV parser, for any input."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.engines.tesseract.tsv import parse_tsv, words_of_rows
from inkstream.ocr_core.errors import FailureKind
from inkstream.ocr_core.geometry import Affine, Box
from inkstream.ocr_core.page import Failure, Level, PageResult, Region
from inkstream.ocr_core.stages.draw.stage import grown
from inkstream.ocr_core.text.layout import compose
from inkstream.ocr_core.text.reading_order import enclosing
from inkstream.ocr_core.text.words import LEVELS, Word

finite = st.floats(-1e6, 1e6)
sizes = st.floats(0, 1e6)
boxes = st.builds(Box, finite, finite, sizes, sizes, st.floats(-360, 360))
upright = st.builds(Box, finite, finite, sizes, sizes)
texts = st.text(st.characters(exclude_categories=["Cs"]))
words_text = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=12)
confidences = st.floats(0, 100)


@given(boxes)
def test_a_box_survives_a_round_trip_as_a_dict(box: Box) -> None:
    assert Box.from_dict(json.loads(json.dumps(box.to_dict()))) == box


@given(st.floats(-360, 360), st.floats(0.1, 10), *[st.floats(-1e4, 1e4)] * 4)
def test_the_inverse_of_a_map_leads_back(
    degrees: float, scale: float, right: float, down: float, x: float, y: float
) -> None:
    there = Affine.turn(degrees, (0, 0), (right, down)).then(Affine(scale, 0, 3, 0, scale, -7))
    assert there.inverse().point(*there.point(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(boxes)
def test_corners_are_half_a_diagonal_from_the_centre(box: Box) -> None:
    cx, cy = box.left + box.width / 2, box.top + box.height / 2
    half = math.hypot(box.width, box.height) / 2
    for x, y in box.corners():
        assert math.hypot(x - cx, y - cy) == pytest.approx(half, abs=1e-3)


@given(upright)
def test_corners_of_an_upright_box_are_its_edges(box: Box) -> None:
    (x0, y0), _, (x1, y1), _ = box.corners()
    assert (x0, y0, x1, y1) == pytest.approx((box.left, box.top, box.right, box.bottom), abs=1e-6)


@given(st.lists(upright, min_size=1))
def test_the_enclosing_box_contains_every_box(inner: list[Box]) -> None:
    around = enclosing(inner)
    for box in inner:
        assert around.left <= box.left
        assert around.top <= box.top
        assert around.right >= box.right - 1e-6
        assert around.bottom >= box.bottom - 1e-6


@given(upright, st.floats(0, 100))
def test_growing_keeps_the_centre(box: Box, margin: float) -> None:
    larger = grown(box, margin)
    assert larger.left + larger.width / 2 == pytest.approx(box.left + box.width / 2, abs=1e-6)
    assert larger.width == pytest.approx(box.width + 2 * margin)


@given(boxes, st.sampled_from(["left", "top", "width", "height", "angle"]), st.sampled_from([math.nan, math.inf, None]))
def test_boxes_with_invalid_or_missing_values_are_rejected(box: Box, name: str, value: float | None) -> None:
    with pytest.raises((ValueError, TypeError)):
        Box.from_dict({**box.to_dict(), name: value})
    with pytest.raises(KeyError):
        Box.from_dict({key: number for key, number in box.to_dict().items() if key != name})


regions = st.builds(
    Region,
    st.integers(0, 10_000),
    st.none() | st.integers(0, 10_000),
    st.sampled_from(Level),
    boxes,
    st.none() | texts,
    st.none() | confidences,
    st.sampled_from(["tesseract", "text_layer"]),
)
results = st.builds(
    PageResult,
    pagenum=st.none() | st.integers(0),
    total_pages=st.none() | st.integers(1),
    text=st.none() | texts,
    confidence=st.none() | confidences,
    regions=st.lists(regions, max_size=4).map(tuple),
    width=st.none() | st.integers(1),
    height=st.none() | st.integers(1),
    resolution=st.none() | st.integers(1),
    engine=st.none() | texts,
    processing_ms=st.floats(0, 1e9),
    failure=st.none() | st.builds(Failure, st.sampled_from(FailureKind), texts),
    overlay=st.none() | st.binary(min_size=1),
    overlay_format=st.none() | st.sampled_from(["jpeg", "png", "webp"]),
)


@given(results)
def test_a_result_survives_the_wire(result: PageResult) -> None:
    fields, overlay = result.to_wire()
    assert PageResult.from_wire(json.loads(json.dumps(fields, allow_nan=False)), overlay) == result


@st.composite
def pages_of_words(draw: st.DrawFn) -> list[Word]:
    words = []
    for block in range(draw(st.integers(0, 3))):
        for paragraph in range(draw(st.integers(1, 2))):
            for line in range(draw(st.integers(1, 3))):
                for _ in range(draw(st.integers(1, 3))):
                    box, text, confidence = draw(upright), draw(words_text), draw(confidences)
                    words.append(Word(block, paragraph, line, box, text, confidence))
    return words


@given(pages_of_words(), st.sampled_from(LEVELS), confidences)
def test_compose_builds_the_tree_of_regions_and_the_text(words: list[Word], finest: Level, threshold: float) -> None:
    page = compose(words, engine="x", finest=finest, threshold=threshold)
    depth = LEVELS.index(finest)
    assert [region.index for region in page.regions] == list(range(len(page.regions)))
    for region in page.regions:
        assert LEVELS.index(region.level) <= depth
        if region.parent is None:
            assert region.level is Level.BLOCK
        else:
            assert region.parent < region.index
            assert LEVELS.index(page.regions[region.parent].level) == LEVELS.index(region.level) - 1
    tops = [region.text for region in page.regions if region.parent is None]
    assert page.text == "\n\n".join(str(text) for text in tops)
    if threshold == 0:
        assert page.text.split() == [word.text for word in words]
    assert (page.confidence is None) == (not page.regions)


tsv_words = st.lists(
    st.tuples(st.integers(1, 9), st.integers(0, 9999), st.integers(0, 999), st.floats(0, 100), words_text),
    max_size=20,
)


@given(tsv_words, st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_tsv_words_are_parsed_and_moved_by_the_offset(
    words: list[tuple[int, int, int, float, str]], heading: bool, ending: str
) -> None:
    rows = ["level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"]
    rows = rows if heading else []
    rows += ["1\t1\t0\t0\t0\t0\t0\t0\t9999\t9999\t-1\t"]
    rows += [f"5\t1\t{b}\t1\t1\t1\t{x}\t{w}\t{w}\t7\t{conf:f}\t{text}" for b, x, w, conf, text in words]
    parsed = words_of_rows(parse_tsv(ending.join([*rows, ""])), left=5, top=2)
    assert [word.text for word in parsed] == [word[4] for word in words]
    assert [word.box.left for word in parsed] == [word[1] + 5 for word in words]
    assert [word.confidence for word in parsed] == pytest.approx([word[3] for word in words], abs=1e-5)


@given(st.text())
def test_parse_tsv_rejects_or_ignores_any_other_text(text: str) -> None:
    try:
        rows = parse_tsv(text)
    except ValueError:
        return
    assert all(1 <= row.level <= 5 for row in rows)

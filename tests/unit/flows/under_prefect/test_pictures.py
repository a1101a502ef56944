"""The pictures in Prefect's artifacts, which show outlines and bars but no text of a document."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from inkstream.flows.under_prefect.pictures import data_uri, regions_svg, throughput_svg

SVG = "{http://www.w3.org/2000/svg}"


def _region(**more: Any) -> dict[str, Any]:
    where = {"left": 10.0, "top": 20.0, "width": 100.0, "height": 12.0, "angle": 0.0}
    return {"level": "line", "text": "unmistakable & <b>", "confidence": 91.0, **where, **more}


def test_regions_are_outlines_of_lines_without_their_text() -> None:
    regions = [_region(), _region(angle=5.0, confidence=None), _region(level="word"), _region(confidence=12.0)]
    svg = regions_svg(2550, 3300, regions)
    page, *boxes = ElementTree.fromstring(svg).iter(f"{SVG}rect")
    assert (page.get("height"), len(boxes)) == ("420", 3)
    assert len({box.get("stroke") for box in boxes}) == 3
    assert "unmistakable" not in svg


def test_the_plot_has_one_bar_per_batch() -> None:
    batches = [{"batch": n, "pages_per_second": n / 2, "backlog": 9 - n} for n in range(10)]
    drawn = ElementTree.fromstring(throughput_svg(batches))
    assert len(list(drawn.iter(f"{SVG}rect"))) == 1 + len(batches)
    assert len(list(drawn.iter(f"{SVG}polyline"))) == 1
    assert ElementTree.fromstring(throughput_svg([])) is not None


def test_a_data_uri_contains_the_picture() -> None:
    assert data_uri("<svg/>") == "data:image/svg+xml;base64,PHN2Zy8+"

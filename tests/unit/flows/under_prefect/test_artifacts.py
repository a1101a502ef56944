"""What a run shows in Prefect, without a server: pictures, names, and that it never ends a run."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from prefect.logging import disable_run_logger

from inkstream.flows.under_prefect.artifacts import RunArtifacts, artifact_key
from inkstream.flows.under_prefect.pictures import regions_svg, throughput_svg
from inkstream.tasks.progress import BatchDone

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


def test_the_plot_has_a_bar_a_batch() -> None:
    batches = [{"batch": n, "pages_per_second": n / 2, "backlog": 9 - n} for n in range(10)]
    drawn = ElementTree.fromstring(throughput_svg(batches))
    assert len(list(drawn.iter(f"{SVG}rect"))) == 1 + len(batches)
    assert len(list(drawn.iter(f"{SVG}polyline"))) == 1
    assert ElementTree.fromstring(throughput_svg([])) is not None


def test_keys_are_what_prefect_takes() -> None:
    assert artifact_key("Letters_2026.v1", "files") == "inkstream-letters-2026-v1-files"


def test_what_goes_wrong_in_it_ends_no_run() -> None:
    with disable_run_logger():
        artifacts = RunArtifacts("letters")
        artifacts(BatchDone("one", {}, ()))
        artifacts(BatchDone("two", {}, ()))

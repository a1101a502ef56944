"""Doubtful lines are read by a second engine, the better reading is kept, and the row says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from inkstream import PipelineOptions, build_pipeline, open_document, read_document
from inkstream.ocr_core.engines.line_reader import LineReader
from inkstream.ocr_core.engines.registry import FINDERS
from inkstream.ocr_core.options import RenderOptions
from inkstream.ocr_core.page import Level, PageResult, Region
from inkstream.ocr_core.pipeline.environment import engine_versions
from inkstream.ocr_core.pipeline.fingerprint import pipeline_id
from inkstream.ocr_core.pipeline.pipeline import Pipeline
from inkstream.ocr_core.stages.render import Render
from inkstream.ocr_core.stages.route import Route
from inkstream.ocr_core.text.metrics import word_score
from tests.places import shared

CLEAN = [
    "The library opens at nine in the morning",
    "and closes at seven in the evening.",
    "Books may be kept for three weeks.",
    "Longer loans need the clerk to agree.",
    "Maps and prints are read in the hall.",
    "Please leave your coat at the door.",
    "The reading room seats forty people.",
    "Ask at the desk for older volumes.",
]
FAINT = "Total due 418.75 by the fourth of March"


def page_of(lines: list[str], faint: dict[int, str] | None = None) -> Image.Image:
    """Draw print at 300 dpi; faint lines are pale, small, blurred and grainy."""
    image = Image.new("L", (1700, 200 + 110 * (len(lines) + len(faint or {}))), 250)
    draw = ImageDraw.Draw(image)
    rows = list(lines)
    for number, text in sorted((faint or {}).items()):
        rows.insert(number, text)
    for number, text in enumerate(rows):
        pale = number in (faint or {})
        font = ImageFont.load_default(size=30 if pale else 50)
        draw.text((120, 100 + 110 * number), text, font=font, fill=140 if pale else 10)
    pixels = np.asarray(image)
    if faint:
        soft = np.asarray(image.filter(ImageFilter.GaussianBlur(1.2))).astype(float)
        soft += np.random.default_rng(5).normal(0, 12, soft.shape)
        bands = np.zeros(soft.shape, bool)
        for number in faint:
            bands[90 + 110 * number : 160 + 110 * number] = True
        pixels = np.where(bands, soft.clip(0, 255).astype(np.uint8), pixels)
    return Image.fromarray(pixels)


def options(**recognize: object) -> PipelineOptions:
    ppocr = {"scripts": ["latin"]}
    return PipelineOptions.model_validate({"recognize": {"engine": "auto", "ppocr": ppocr, **recognize}})


def lines_of(result: PageResult) -> list[str]:
    return [line for line in (result.text or "").split("\n") if line]


def run(image: Image.Image, folder: Path, chosen: PipelineOptions) -> tuple[PageResult, Pipeline]:
    image.save(folder / "page.png", dpi=(300, 300))
    pipeline = build_pipeline(chosen)
    with open_document(folder / "page.png") as document:
        return pipeline.run(document, 0), pipeline


def test_a_clean_page_never_opens_the_second_engine(tmp_path: Path) -> None:
    page_of(CLEAN).save(tmp_path / "page.png", dpi=(300, 300))
    (route,) = [s for s in build_pipeline(options(routing={"threshold": 80})).stages if isinstance(s, Route)]

    def refuse() -> LineReader:
        raise AssertionError("the second engine was opened")

    route = replace(route, open_reader=refuse)
    with open_document(tmp_path / "page.png") as document:
        result = Pipeline((Render(RenderOptions()), route)).run(document, 0)
    assert lines_of(result) == CLEAN
    assert (result.engine, result.routing) == ("tesseract", ())


def test_a_page_without_unread_ink_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []

    def detect(*_: object) -> tuple[Region, ...]:
        searched.append("page")
        return ()

    monkeypatch.setitem(FINDERS, "ppocr", replace(FINDERS["ppocr"], find=detect))
    result, _ = run(page_of(CLEAN), tmp_path, options())
    assert lines_of(result) == CLEAN
    assert not searched
    run(page_of(CLEAN, {4: FAINT}), tmp_path, options())
    assert searched


def test_a_faint_line_is_reread_in_place_by_the_second_engine(tmp_path: Path) -> None:
    result, _ = run(page_of(CLEAN, {4: FAINT}), tmp_path, options())
    assert lines_of(result) == [*CLEAN[:4], FAINT, *CLEAN[4:]]
    assert result.engine == "ppocr+tesseract"
    (decision,) = [d for d in result.routing if d.reason == "tesseract found nothing"]
    assert decision.kept == "ppocr"
    assert [(c.engine, c.text) for c in decision.candidates] == [("ppocr", FAINT)]
    assert decision.region is not None
    line = result.regions[decision.region]
    assert (line.level, line.text, line.engine) == (Level.LINE, FAINT, "ppocr")
    assert line.box.top < 100 + 110 * 4 + 15 < line.box.bottom


def test_a_page_that_is_mostly_faint_is_searched_for_text(tmp_path: Path) -> None:
    faint = {1: FAINT, 2: "Carriage 12.50 paid in advance", 3: "Discount for members 30.00", 5: "No returns after May"}
    result, _ = run(page_of(CLEAN[:3], faint), tmp_path, options())
    wanted = "\n".join([CLEAN[0], faint[1], faint[2], faint[3], CLEAN[1], faint[5], CLEAN[2]])
    assert result.text is not None
    assert word_score(wanted, result.text).f1 > 0.95
    lines = [region.text for region in result.regions if region.level is Level.LINE]
    assert [line.split()[0] for line in lines if line] == ["The", "Total", "Carriage", "Discount", "and", "No", "Books"]


def test_lines_that_tesseract_missed_stay_missing_without_search(tmp_path: Path) -> None:
    result, _ = run(page_of(CLEAN, {4: FAINT}), tmp_path, options(routing={"search": False}))
    assert lines_of(result) == CLEAN


def test_the_threshold_decides_which_lines_are_reread(tmp_path: Path) -> None:
    result, _ = run(page_of(CLEAN, {4: FAINT}), tmp_path, options(routing={"threshold": 0, "search": False}))
    assert (result.engine, result.routing) == ("tesseract", ())
    result, _ = run(page_of(CLEAN[:3]), tmp_path, options(routing={"threshold": 100}))
    assert len(result.routing) == 3
    for decision in result.routing:
        best = max(decision.candidates, key=lambda candidate: candidate.confidence)
        assert decision.kept == best.engine


def test_a_blank_page_stays_blank(tmp_path: Path) -> None:
    result, _ = run(Image.new("L", (600, 600), 255), tmp_path, options())
    assert (result.text, result.failure, result.routing, result.confidence) == ("", None, (), None)


def test_candidates_are_returned_from_the_sandbox(tmp_path: Path) -> None:
    page_of(CLEAN[:5], {2: FAINT}).save(tmp_path / "page.png", dpi=(300, 300))
    (result,) = read_document(tmp_path / "page.png", options())
    assert result.failure is None
    assert FAINT in {c.text for decision in result.routing for c in decision.candidates}


def test_versions_and_pipeline_id_cover_both_engines() -> None:
    versions = engine_versions(options())
    assert {"tesseract", "model:eng", "model:ppocr-det", "model:ppocr-rec"} <= versions.keys()
    ids = {pipeline_id(chosen, engine_versions(chosen)) for chosen in (options(), options(routing={"threshold": 50}))}
    assert len(ids) == 2
    plain = PipelineOptions.model_validate({"recognize": {"routing": {"threshold": 50}}})
    assert pipeline_id(plain, {}) == pipeline_id(PipelineOptions(), {})


@pytest.mark.skipif(not shared("samples/receipts", "*.jpg"), reason="the receipts are not present")
def test_auto_reads_receipts_about_as_well_as_the_better_engine() -> None:
    scores: dict[str, list[float]] = {"tesseract": [], "ppocr": [], "auto": []}
    for path in shared("samples/receipts", "*.jpg")[:3]:
        rows = path.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
        truth = "\n".join(row.split(",", 8)[-1] for row in rows).upper()
        for engine, engine_scores in scores.items():
            (result,) = read_document(path, options(engine=engine), sandboxed=False)
            engine_scores.append(word_score(truth, (result.text or "").upper()).f1)
    means = {engine: sum(engine_scores) / len(engine_scores) for engine, engine_scores in scores.items()}
    assert means["auto"] > means["tesseract"] + 0.05
    assert means["auto"] > means["ppocr"] - 0.01

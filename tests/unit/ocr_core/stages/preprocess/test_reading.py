"""Each step makes a page with its defect legible, and boxes are in pixels of the original page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inkstream import (
    Affine,
    Box,
    ConfigError,
    EnvironmentFault,
    Level,
    PageResult,
    Pipeline,
    PipelineOptions,
    WorkingPage,
    build_pipeline,
    check_environment,
    engine_versions,
    open_document,
    require_environment,
)
from inkstream.ocr_core.engines.tesseract.engine import find_models
from inkstream.ocr_core.engines.tesseract.entry import TESSERACT
from inkstream.ocr_core.engines.tesseract.osd import find_osd, open_osd
from inkstream.ocr_core.installation import system_command
from inkstream.ocr_core.options import DeskewOptions, RecognizeOptions, RenderOptions
from inkstream.ocr_core.stages.preprocess import Deskew
from inkstream.ocr_core.stages.recognize import Recognize
from inkstream.ocr_core.stages.render import Render
from inkstream.ocr_core.text.metrics import word_score
from tests import generators

TEXT = (
    "The survey of the estate was finished in June, about",
    "nine days later than we had hoped. Of the crates that",
    "left the warehouse, all but two reached the harbour",
    "before the roads were closed by snow and falling trees.",
    "Please send the remaining drawings by post, since the",
    "last parcel was delayed on the way for eleven days.",
    "There is a right of way across the orchard, as you",
    "pointed out yourself, and it must always be kept open.",
)
SHEET = generators.page_image(list(TEXT), dpi=150).crop((0, 0, 1275, 900))
WORDS = " ".join(TEXT).split()


def read(image: Image.Image, folder: Path, **sections: Any) -> PageResult:
    image.save(folder / "page.png", dpi=(150, 150))
    sections.setdefault("text_layer", {"mode": "ignore"})
    with open_document(folder / "page.png") as document:
        result = build_pipeline(PipelineOptions.model_validate(sections)).run(document, 0)
    assert result.failure is None
    assert (result.width, result.height, result.resolution) == (image.width, image.height, 150)
    return result


def recall(result: PageResult) -> float:
    return word_score(" ".join(TEXT), result.text or "").recall


def words(result: PageResult) -> dict[str, Box]:
    """Return the boxes of the words that occur once on the sheet."""
    word_regions = [region for region in result.regions if region.level is Level.WORD]
    return {str(region.text): region.box for region in word_regions if WORDS.count(str(region.text)) == 1}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Box]:
    """Return the boxes of the words on the sheet itself."""
    result = read(SHEET, tmp_path_factory.mktemp("plain"))
    assert recall(result) == 1
    return words(result)


def skewed(degrees: float) -> tuple[Image.Image, Affine]:
    image = SHEET.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    to_image = Affine.turn(degrees, (SHEET.width / 2, SHEET.height / 2), (image.width / 2, image.height / 2))
    return image, to_image


def quarter(angle: int) -> tuple[Image.Image, Affine]:
    image = SHEET.rotate(-angle, expand=True)
    return image, Affine.turn(angle, (SHEET.width / 2, SHEET.height / 2), (image.width / 2, image.height / 2))


def small() -> tuple[Image.Image, Affine]:
    image = SHEET.resize((SHEET.width * 34 // 100, SHEET.height * 34 // 100), Image.Resampling.LANCZOS)
    return image, Affine(a=image.width / SHEET.width, e=image.height / SHEET.height)


def on_black() -> tuple[Image.Image, Affine]:
    image = Image.new("L", (SHEET.width + 200, SHEET.height + 300), 10)
    image.paste(SHEET, (120, 90))
    return image, Affine(c=120, f=90)


def everything() -> tuple[Image.Image, Affine]:
    """Return the sheet skewed, shrunk, turned on its side and placed on black."""
    page, turned = skewed(2)
    page = page.resize((page.width * 4 // 5, page.height * 4 // 5), Image.Resampling.LANCZOS)
    to_image = turned.then(Affine(a=0.8, e=0.8))
    side = page.rotate(-90, expand=True)
    to_image = to_image.then(Affine.turn(90, (page.width / 2, page.height / 2), (side.width / 2, side.height / 2)))
    image = Image.new("L", (side.width + 130, side.height + 120), 10)
    image.paste(side, (60, 70))
    return image, to_image.then(Affine(c=60, f=70))


@pytest.mark.parametrize(
    ("variant", "preprocess", "angle"),
    [
        (lambda: skewed(3), {"deskew": {}}, 3),
        (lambda: skewed(-24), {"deskew": {"half_angle": 30}}, -24),
        (lambda: quarter(90), {"orient": {}}, 90),
        (lambda: quarter(180), {"orient": {}}, 180),
        (lambda: quarter(270), {"orient": {}}, -90),
        (lambda: quarter(90), {"orient": {"angle": 270}}, 90),
        (small, {"scale": {}}, 0),
        (small, {"scale": {"method": "size", "width": 1500, "height": 1400}}, 0),
        (on_black, {"border": {}}, 0),
        (on_black, {"border": {"crop": False}}, 0),
        (everything, {"border": {}, "orient": {"min_confidence": 1}, "deskew": {}, "scale": {}, "binarize": {}}, 92),
    ],
)
def test_a_preprocessed_page_is_read_with_boxes_on_the_original_page(
    variant: Callable[[], tuple[Image.Image, Affine]],
    preprocess: dict[str, Any],
    angle: float,
    plain: dict[str, Box],
    tmp_path: Path,
) -> None:
    image, to_image = variant()
    result = read(image, tmp_path, preprocess=preprocess)
    assert recall(result) > 0.95
    boxes = words(result)
    assert len(boxes) > 0.9 * len(plain)
    for text, box in boxes.items():
        expected = to_image.box(plain[text])
        assert (box.left, box.top, box.width, box.height) == pytest.approx(
            (expected.left, expected.top, expected.width, expected.height), abs=6
        ), text
        assert abs(box.angle - angle) % 360 <= 0.3


@pytest.mark.parametrize(
    ("variant", "ceiling"),
    [(lambda: skewed(-24), 0.5), (lambda: quarter(180), 0.2), (small, 0.9)],
)
def test_pages_with_defects_are_read_poorly_without_preprocessing(
    variant: Callable[[], tuple[Image.Image, Affine]], ceiling: float, tmp_path: Path
) -> None:
    assert recall(read(variant()[0], tmp_path)) < ceiling


@pytest.mark.parametrize("level", ["block", "line"])
def test_regions_are_cropped_from_the_preprocessed_pixels(level: str, plain: dict[str, Box], tmp_path: Path) -> None:
    image, to_image = skewed(4)
    result = read(
        image,
        tmp_path,
        preprocess={"deskew": {}},
        detect={"level": level},
        recognize={"per_region": True, "page_seg_mode": 6},
        draw={"level": "word"},
    )
    assert recall(result) > 0.95
    for text, box in words(result).items():
        assert (box.left, box.top) == pytest.approx(
            (to_image.box(plain[text]).left, to_image.box(plain[text]).top), abs=6
        )
    assert result.overlay


def test_enlarging_does_not_raise_the_engine_resolution(tmp_path: Path) -> None:
    """A picture without dpi counts as 300 dpi; at three times that, Tesseract would take letters for dirt."""
    small()[0].save(tmp_path / "a.png")
    with open_document(tmp_path / "a.png") as document:
        sections = {"text_layer": {"mode": "ignore"}, "preprocess": {"scale": {}}}
        result = build_pipeline(PipelineOptions.model_validate(sections)).run(document, 0)
    assert recall(result) > 0.95
    page = WorkingPage(document.page(0), resolution=300)
    page.move(np.zeros((30, 20), np.uint8), Affine(a=0.5, e=0.5))
    assert (page.pixels_resolution, page.engine_resolution) == (600, 300)
    page.move(np.zeros((30, 20), np.uint8), Affine(a=3, e=3))
    assert (page.pixels_resolution, page.engine_resolution) == (200, 200)


def test_denoising_removes_salt_and_pepper_noise(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    pixels = np.asarray(SHEET).copy()
    grains = random.random(pixels.shape)
    pixels[grains < 0.04] = 0
    pixels[grains > 0.96] = 255
    noisy = Image.fromarray(pixels)
    cleaned = {
        method: recall(read(noisy, tmp_path, preprocess={"denoise": {"method": method, "max_area": 4}}))
        for method in ("median", "despeckle")
    }
    assert min(cleaned.values()) > 0.95
    assert recall(read(noisy, tmp_path)) < 0.8


@pytest.mark.parametrize("method", ["mean", "gaussian", "sauvola", "wolf", "nick", "isauvola", "singh"])
def test_local_thresholds_make_text_in_a_shadow_legible(method: str, tmp_path: Path) -> None:
    shadow = np.linspace(0.25, 1, SHEET.width)[None, :]
    dim = Image.fromarray((np.where(np.asarray(SHEET) < 128, 100, 240) * shadow).astype(np.uint8))
    binarize = {"method": method, "window": 41, "k": 0.1}
    assert recall(read(dim, tmp_path, preprocess={"binarize": binarize})) > 0.9
    assert recall(read(dim, tmp_path, preprocess={"binarize": {"method": "otsu"}})) < 0.8


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("size", [(1, 1), (40, 3), (900, 700)])
def test_a_uniform_page_passes_every_step_and_has_no_text(level: int, size: tuple[int, int], tmp_path: Path) -> None:
    every = {"border": {}, "denoise": {}, "orient": {}, "deskew": {}, "scale": {}, "binarize": {"method": "wolf"}}
    result = read(Image.new("L", size, level), tmp_path, preprocess=every)
    assert (result.text, result.regions) == ("", ())


def test_a_page_with_a_text_layer_is_not_preprocessed(tmp_path: Path) -> None:
    path = generators.born_digital_pdf(tmp_path / "a.pdf", ["It carries its own words"])
    sections: dict[str, Any] = {"preprocess": {"deskew": {"angle": 10}, "scale": {}}, "draw": {}}
    with open_document(path) as document:
        result = build_pipeline(PipelineOptions.model_validate(sections)).run(document, 0)
    assert result.engine == "text_layer"
    assert {region.box.angle for region in result.regions} == {0}


def test_a_pipeline_that_moves_pixels_needs_restore() -> None:
    deskew = Deskew(DeskewOptions(), 10**8)
    with pytest.raises(ConfigError, match="Restore must come after"):
        Pipeline([Render(RenderOptions()), deskew, Recognize(RecognizeOptions(), TESSERACT)])


@pytest.mark.parametrize("binding", ["tesserocr", "pytesseract"])
def test_both_bindings_detect_the_orientation(binding: str) -> None:
    engine = open_osd(RecognizeOptions(binding=binding))
    detected = engine.orientation(np.asarray(quarter(90)[0]), 150, 20)
    assert detected.angle == 270
    assert detected.confidence > 5
    assert engine.orientation(np.full((200, 300), 255, np.uint8), 150, 20).confidence == 0


def test_orientation_data_may_be_outside_the_language_folder(tmp_path: Path) -> None:
    shutil.copy(find_models(RecognizeOptions()) / "eng.traineddata", tmp_path)
    assert find_osd(RecognizeOptions(tessdata=str(tmp_path))) == find_osd(RecognizeOptions())


def test_missing_orientation_data_is_an_environment_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(find_models(RecognizeOptions()) / "eng.traineddata", tmp_path)
    monkeypatch.setattr("inkstream.ocr_core.engines.tesseract.tessdata._PLACES", ())
    monkeypatch.setattr("inkstream.ocr_core.engines.tesseract.tessdata._listed_by_program", lambda: None)
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    sections: dict[str, Any] = {"preprocess": {"orient": {}}}
    options = PipelineOptions.model_validate(sections)
    with pytest.raises(EnvironmentFault, match="no data for language osd") as caught:
        require_environment(options)
    assert caught.value.remedy == system_command("tesseract-ocr", "tesseract-ocr-osd")
    sections["preprocess"] = {"orient": {"angle": 90}}
    require_environment(PipelineOptions.model_validate(sections))


def test_checks_and_versions_cover_the_steps_in_use() -> None:
    orient = PipelineOptions.model_validate({"preprocess": {"orient": {}, "binarize": {"method": "singh"}}})
    assert "tesseract orientation" in [check.name for check in check_environment(orient)]
    assert {"model:osd", "doxapy"} <= set(engine_versions(orient))
    assert not {"model:osd", "doxapy"} & set(engine_versions(PipelineOptions()))

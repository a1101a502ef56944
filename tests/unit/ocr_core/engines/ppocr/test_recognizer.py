"""PP-OCR's real models on lines drawn here, and on the model card's photo if it is present."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from inkstream import PipelineOptions, read_document
from inkstream.ocr_core.engines.ppocr.dbnet import detect
from inkstream.ocr_core.engines.ppocr.models import find_model
from inkstream.ocr_core.engines.ppocr.recognizer import PpocrReader, characters
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.options import DetectOptions, PpocrOptions
from inkstream.ocr_core.page import Level, PageResult
from inkstream.ocr_core.pipeline.environment import check_environment, engine_versions
from inkstream.ocr_core.pipeline.fingerprint import pipeline_id
from inkstream.ocr_core.text.metrics import character_error_rate
from inkstream.tasks.config import build_config
from tests.places import shared

LINES = ["Dear Margaret,", "the river rose again on Tuesday", "and the ferry did not run.", "Come by train: 07:45"]


def photo(angle: float = 0.0, ink: str = "navy") -> Image.Image:
    """Draw lines on uneven paper, turned clockwise by `angle` degrees."""
    image = Image.new("RGB", (1600, 1000), "ivory")
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=64)
    for number, line in enumerate(LINES):
        draw.text((180, 180 + 150 * number), line, font=font, fill=ink)
    shade = np.linspace(1.0, 0.7, image.width)[None, :, None]
    turned = np.asarray(image.rotate(-angle, Image.Resampling.BICUBIC, fillcolor="ivory")) * shade
    return Image.fromarray(turned.astype(np.uint8))


def read(image: Image.Image, folder: Path, *overrides: str) -> PageResult:
    image.save(folder / "photo.png")
    options = build_config({"source": {"url": "."}, "sink": {"url": "."}}, preset="handwritten", overrides=overrides)
    (result,) = read_document(folder / "photo.png", options.pipeline, sandboxed=False)
    assert result.failure is None
    return result


def crop_of(text: str, height: int = 90) -> np.ndarray:
    image = Image.new("L", (60 * len(text) + 60, height), 230)
    ImageDraw.Draw(image).text((20, 10), text, font=ImageFont.load_default(size=56), fill=30)
    return np.asarray(image.crop((0, 0, image.point(lambda v: 255 * (v < 200)).getbbox()[2] + 20, height)))  # type: ignore[index]


@pytest.mark.parametrize("angle", [0.0, 7.0, -10.0])
def test_lines_of_a_skewed_photo_are_read_in_order(angle: float, tmp_path: Path) -> None:
    result = read(photo(angle), tmp_path, "pipeline.recognize.ppocr.lexicon=[]")
    assert result.text is not None
    assert character_error_rate("\n".join(LINES), result.text) < 0.03
    assert result.engine == "ppocr"
    assert result.confidence is not None
    assert result.confidence > 85
    assert result.overlay is not None
    lines = [region for region in result.regions if region.level is Level.LINE]
    assert len(lines) == len(LINES)
    assert [region.box.angle for region in lines] == pytest.approx([angle] * len(LINES), abs=1.5)


def test_word_boxes_match_the_drawn_words(tmp_path: Path) -> None:
    result = read(photo(), tmp_path)
    words = {region.text: region.box for region in result.regions if region.level is Level.WORD}
    font = ImageFont.load_default(size=64)
    for word, before in (("river", "the "), ("Tuesday", "the river rose again on ")):
        left = 180 + font.getlength(before)
        assert words[word].left == pytest.approx(left, abs=40)
        assert words[word].right == pytest.approx(left + font.getlength(word), abs=40)
        assert words[word].top < 330 + 32 < words[word].bottom


def test_gray_and_color_give_the_same_text(tmp_path: Path) -> None:
    assert read(photo(), tmp_path, "pipeline.render.color=gray").text == read(photo(), tmp_path).text


def test_grouping_areas_does_not_change_the_text(tmp_path: Path) -> None:
    one_by_one = ("pipeline.recognize.lines.group_images=false", "pipeline.detect.with_refiner=false")
    assert read(photo(), tmp_path, *one_by_one).text == read(photo(), tmp_path, one_by_one[1]).text


@pytest.mark.parametrize("size", [(1, 1), (40, 3000), (3000, 20), (500, 500)])
def test_a_blank_page_of_any_shape_has_no_text(size: tuple[int, int], tmp_path: Path) -> None:
    result = read(Image.new("RGB", size, "white"), tmp_path)
    assert (result.text, result.regions, result.confidence) == ("", (), None)


def test_detection_follows_score_threshold_and_width() -> None:
    pixels = np.asarray(photo())
    assert len(detect(pixels, DetectOptions(engine="ppocr"))) >= len(LINES)
    assert not detect(pixels, DetectOptions(engine="ppocr", score_threshold=1.0))
    boxes = [area.box for area in detect(pixels, DetectOptions(engine="ppocr", width=800))]
    for number in range(len(LINES)):
        middle = 180 + 150 * number + 40
        assert any(box.top < middle < box.bottom and box.left < 200 for box in boxes)


def test_a_line_is_read_the_same_alone_and_in_a_batch() -> None:
    texts = ["No", "Margaret", "the ferry did not run today", "07:45"]
    crops = [crop_of(text) for text in texts]
    reader = PpocrReader(PpocrOptions())
    together = reader.read(crops)
    assert [reading.text for reading in together] == texts
    assert [reader.read([crop]) for crop in crops] == [[reading] for reading in together]


def test_noise_gets_low_confidence() -> None:
    rng = np.random.default_rng(7)
    noise = [rng.integers(0, 256, (60, 500), np.uint8) for _ in range(4)]
    reader = PpocrReader(PpocrOptions(scripts=("latin",), lexicon=("en",), views=3))
    for reading in reader.read(noise):
        assert (reading.confidence or 0) < 50


def test_the_scripts_option_limits_the_letters() -> None:
    crop = crop_of("Margaret")
    (latin,) = PpocrReader(PpocrOptions(scripts=("latin",))).read([crop])
    (greek,) = PpocrReader(PpocrOptions(scripts=("greek",))).read([crop])
    assert latin.text == "Margaret"
    assert not any("a" <= letter.lower() <= "z" for letter in greek.text)


def test_the_pipeline_id_covers_models_and_options_but_not_paths() -> None:
    def id_with(**ppocr: object) -> str:
        options = PipelineOptions.model_validate({"recognize": {"engine": "ppocr", "ppocr": ppocr}})
        return pipeline_id(options, engine_versions(options))

    assert id_with() == id_with(model=str(find_model("rec")))
    assert id_with() != id_with(views=2)
    options = PipelineOptions.model_validate({"recognize": {"engine": "ppocr"}})
    versions = engine_versions(options)
    assert {"model:ppocr-det", "model:ppocr-rec", "onnxruntime"} <= versions.keys()
    assert "tesseract" not in versions


def test_a_missing_model_is_an_environment_fault() -> None:
    options = PipelineOptions.model_validate({"recognize": {"engine": "ppocr", "ppocr": {"model": "/nowhere.onnx"}}})
    assert any(not check.ok and "/nowhere.onnx" in check.detail for check in check_environment(options))
    with pytest.raises(EnvironmentFault, match="there is no model"):
        engine_versions(options)


@pytest.mark.parametrize(
    ("setting", "model", "expected"),
    [
        ("pipeline.detect.model", "rec", "the model that finds text does not work"),
        ("pipeline.recognize.ppocr.model", "det", "does not list the characters it reads"),
    ],
)
def test_a_model_of_the_wrong_kind_is_an_environment_fault(
    setting: str, model: Literal["det", "rec"], expected: str, tmp_path: Path
) -> None:
    photo().save(tmp_path / "photo.png")
    overrides = [f"{setting}={find_model(model)}"]
    config = build_config({"source": {"url": "."}, "sink": {"url": "."}}, preset="handwritten", overrides=overrides)
    with pytest.raises(EnvironmentFault, match=expected):
        list(read_document(tmp_path / "photo.png", config.pipeline))


def test_a_recogniser_needs_as_many_characters_as_columns(tmp_path: Path) -> None:
    """It would read each letter as its neighbour in the list."""
    every = characters(find_model("rec"))
    listed = "\n".join(every[100:110]).encode()
    model = find_model("rec").read_bytes()
    assert model.count(listed) == 1
    own = tmp_path / "own.onnx"
    own.write_bytes(model.replace(listed, listed.replace(b"\n", b"x", 1)))
    with pytest.raises(EnvironmentFault, match=f"{len(every)} columns but {len(every) - 1} characters"):
        PpocrReader(PpocrOptions(model=str(own)))


@pytest.mark.skipif(not shared("samples/seed", "handwritten*"), reason="the model card's photo is not present")
def test_the_model_card_s_photo_is_read_as_well_as_on_the_model_card(tmp_path: Path) -> None:
    (path,) = shared("samples/seed", "handwritten_example.jpg")
    truth = "This is an example of handwritten\ntext.\nLet's check the performance!\nI hope it will be awesome."
    result = read(Image.open(path), tmp_path)
    assert result.text is not None
    assert len(result.text.split("\n")) == 4
    assert character_error_rate(truth, result.text) <= 0.084

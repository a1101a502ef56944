"""Each preprocessing step alone, on pictures whose correct result is known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from inkstream.ocr_core.geometry import Affine
from inkstream.ocr_core.options import (
    BinarizeOptions,
    BorderOptions,
    DenoiseOptions,
    DeskewOptions,
    PipelineOptions,
    PreprocessOptions,
    ScaleOptions,
)
from inkstream.ocr_core.pixels import Pixels
from inkstream.ocr_core.stages.preprocess import steps
from inkstream.ocr_core.stages.preprocess.binarize import binarize
from inkstream.ocr_core.stages.preprocess.border import remove_border
from inkstream.ocr_core.stages.preprocess.denoise import denoise, median
from inkstream.ocr_core.stages.preprocess.deskew import deskew, find_skew
from inkstream.ocr_core.stages.preprocess.orient import turn
from inkstream.ocr_core.stages.preprocess.scale import scale, text_height
from inkstream.ocr_core.stages.preprocess.step import otsu_level
from tests import generators

LINES = [f"Line {number} of the harbour master's journal, kept by hand" for number in range(1, 20)]
BUDGET = 50_000_000
METHODS = ["threshold", "otsu", "mean", "gaussian", "sauvola", "wolf", "nick", "isauvola", "singh"]


def page(dpi: int = 150) -> Image.Image:
    return generators.page_image(LINES, dpi=dpi)


def turned(image: Image.Image, degrees: float, paper: int = 255) -> Pixels:
    """Return the picture turned clockwise."""
    return np.asarray(image.rotate(-degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper))


@pytest.mark.parametrize("skew", [-4.3, -1.0, -0.3, 0.0, 0.4, 3.0, 4.8])
def test_the_skew_is_found_within_the_resolution(skew: float) -> None:
    assert find_skew(turned(page(), skew), DeskewOptions(resolution=0.1)) == pytest.approx(skew, abs=0.1)


def test_a_wide_search_finds_a_large_skew() -> None:
    assert find_skew(turned(page(), -31), DeskewOptions(half_angle=45)) == pytest.approx(-31, abs=0.1)


def test_a_skew_beyond_the_search_is_left_alone() -> None:
    pixels = turned(page(), 12)
    output, back = deskew(pixels, DeskewOptions(half_angle=5), BUDGET)
    assert output is pixels
    assert back == Affine()


@pytest.mark.parametrize("grain", [0, 40])
def test_paper_without_lines_has_no_skew(grain: int) -> None:
    noise = np.random.default_rng(1).normal(0, grain, (1100, 850))
    assert find_skew(np.clip(200 + noise, 0, 255).astype(np.uint8), DeskewOptions()) == 0


def test_deskew_keeps_every_corner_and_the_colour_of_the_paper() -> None:
    gray = np.full((600, 400), 180, np.uint8)
    for pixels in (gray, np.dstack([gray, gray // 2, gray // 3])):
        output, _ = deskew(pixels, DeskewOptions(angle=-10), BUDGET)
        assert output.shape[:2] == pytest.approx((660.3, 498.1), abs=2)  # the turned page's bounding box
        assert np.abs(output.astype(int) - pixels[0, 0]).max() <= 1


def test_a_fixed_angle_turns_clockwise() -> None:
    level, _ = deskew(turned(page(), -7), DeskewOptions(angle=7), BUDGET)
    assert find_skew(level, DeskewOptions()) == pytest.approx(0, abs=0.1)


def test_deskew_stays_within_the_pixel_budget() -> None:
    pixels = turned(page(), 4)
    output, back = deskew(pixels, DeskewOptions(), pixels.size)
    assert output.shape == pixels.shape
    assert back != Affine()


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_quarter_turns_rotate_the_pixels_and_map_points_back(angle: int) -> None:
    pixels = np.zeros((30, 50), np.uint8)
    pixels[4, 7] = 255
    output, back = turn(pixels, angle)
    (row,), (column,) = np.nonzero(output)
    assert back.point(column + 0.5, row + 0.5) == (7.5, 4.5)
    assert np.array_equal(output, turned(Image.fromarray(pixels), angle))


@pytest.mark.parametrize("capitals", [False, True])
@pytest.mark.parametrize("dpi", [75, 150, 300])
def test_text_height_matches_the_font_size(dpi: int, capitals: bool) -> None:
    lines = [line.upper() if capitals else line for line in LINES]
    height = text_height(np.asarray(generators.page_image(lines, dpi=dpi)))
    assert height == pytest.approx(14 / 72 * dpi, rel=0.15)


def test_scale_reaches_the_requested_text_height() -> None:
    pixels = np.asarray(page(75))
    output, back = scale(pixels, ScaleOptions(text_height=40), BUDGET)
    assert text_height(output) == pytest.approx(40, rel=0.15)
    assert output.shape[1] * back.a == pytest.approx(pixels.shape[1])
    assert output.shape[0] * back.e == pytest.approx(pixels.shape[0])


def test_a_page_with_little_text_is_not_scaled() -> None:
    pixels = np.asarray(generators.text_image("few"))
    assert scale(pixels, ScaleOptions(), BUDGET)[0] is pixels


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (ScaleOptions(method="factor", factor=2), (800, 400)),
        (ScaleOptions(method="factor", factor=0.01), (4, 2)),
        (ScaleOptions(method="size", width=300), (300, 150)),
        (ScaleOptions(method="size", height=300), (600, 300)),
        (ScaleOptions(method="size", width=300, height=300), (300, 300)),
        (ScaleOptions(method="size", width=300, height=300, keep_ratio=True), (300, 150)),
        (ScaleOptions(method="factor", factor=10), (1414, 707)),
        (ScaleOptions(method="size", width=100_000, height=1), (32767, 1)),
    ],
)
def test_scaled_sizes_follow_the_options_and_the_limits(options: ScaleOptions, size: tuple[int, int]) -> None:
    """The last two are limited by the pixel budget and by the longest side allowed."""
    output, _ = scale(np.full((200, 400), 255, np.uint8), options, 1_000_000)
    assert (output.shape[1], output.shape[0]) == size


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"method": "size"}, "needs width, height or both"),
        ({"width": 100}, "set method: size"),
        ({"factor": 2}, "set method: factor"),
        ({"method": "size", "width": 100, "factor": 2}, "set method: factor"),
    ],
)
def test_scale_options_of_another_method_are_rejected(numbers: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ScaleOptions.model_validate(numbers)


def test_median_filters_windows_of_three_by_three_pixels() -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (40, 30, 3), np.uint8)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(pixels, ((1, 1), (1, 1), (0, 0)), "edge"), (3, 3), (0, 1))
    assert np.array_equal(median(pixels), np.median(around, axis=(3, 4)))
    assert np.array_equal(median(pixels[..., 0]), median(pixels)[..., 0])


@pytest.mark.parametrize("colour", [False, True])
def test_despeckling_removes_only_small_specks(colour: bool) -> None:
    pixels = np.full((60, 60), 240, np.uint8)
    pixels[10:40, 10:14] = 20  # a stroke
    clean = pixels.copy()
    pixels[50, 50] = pixels[51, 51] = pixels[52, 50] = 30  # three pixels, corner to corner
    pixels[41, 11] = clean[41, 11] = 230  # a speck too light to be ink
    pixels[14, 14] = clean[14, 14] = 20  # a grain that touches the stroke at a corner belongs to it
    given, wanted = (np.dstack([p] * 3) if colour else p for p in (pixels, clean))
    assert np.array_equal(denoise(given, DenoiseOptions(method="despeckle", max_area=3)), wanted)
    assert np.array_equal(denoise(given, DenoiseOptions(method="despeckle", max_area=2)), given)


@pytest.mark.parametrize("skew", [0.0, 2.0])
@pytest.mark.parametrize("colour", [False, True])
def test_a_dark_border_is_removed_and_the_page_stays(skew: float, colour: bool) -> None:
    sheet = page().point([round(value * 0.9) for value in range(256)])
    scan = Image.new("L", (sheet.width + 160, sheet.height + 120), 12)
    paper = Image.new("L", sheet.size, 255).rotate(-skew, expand=True)
    scan.paste(sheet.rotate(-skew, expand=True), (70, 50), paper)
    pixels = np.asarray(scan.convert("RGB") if colour else scan)
    output, back = remove_border(pixels, BorderOptions())
    ink = (output < 60).sum() / output.size
    assert ink == pytest.approx((np.asarray(sheet) < 60).mean(), rel=0.1), "all letters, and nothing else, are dark"
    assert abs(back.c - 70) <= 6
    assert abs(back.f - 50) <= 6
    uncropped, unmoved = remove_border(pixels, BorderOptions(crop=False))
    assert (uncropped.shape, unmoved) == (pixels.shape, Affine())
    assert (uncropped < 60).sum() == pytest.approx((output < 60).sum(), rel=0.02)


def test_a_page_without_a_border_is_unchanged() -> None:
    pixels = np.asarray(page()).copy()
    pixels[:, 600:603] = 0  # a rule from edge to edge is no border
    pixels[300:900, 200:800] = 0  # nor is a dark picture that touches no edge
    output, back = remove_border(pixels, BorderOptions())
    assert np.array_equal(output, pixels)
    assert back == Affine()


@pytest.mark.parametrize("method", METHODS)
def test_binarize_makes_a_uniform_page_black_or_white(method: str) -> None:
    options = BinarizeOptions(method=method)
    assert (binarize(np.full((50, 50), 250, np.uint8), options) == 255).all()
    assert (binarize(np.full((50, 50), 5, np.uint8), options) == 0).all()


@pytest.mark.parametrize("method", METHODS[2:])
def test_local_methods_separate_ink_from_paper_in_a_shadow(method: str) -> None:
    """No single level separates ink from paper here: paper in the shadow is darker than ink in the light."""
    shadow = np.linspace(0.15, 1, 1600)[None, :]
    sheet = np.where(np.asarray(generators.text_image()) < 128, 90, 250)
    pixels = (sheet * shadow).astype(np.uint8)
    assert pixels[:, 60:80].max() < pixels[:, -700:].min()
    ink = sheet == 90
    output = binarize(pixels, BinarizeOptions(method=method, offset=6)) == 0
    assert output[ink].mean() > 0.9
    assert output[~ink].mean() < 0.05
    level = binarize(pixels, BinarizeOptions(method="otsu")) == 0
    assert level[~ink].mean() > 0.2


def test_otsu_level_separates_two_levels() -> None:
    pixels = np.where(np.arange(100) < 20, 40, 200).astype(np.uint8)[None]
    assert np.array_equal(pixels < otsu_level(pixels), pixels == 40)
    assert otsu_level(np.zeros((3, 3), np.uint8)) == 0


@pytest.mark.parametrize("level", [0, 130, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 3), (3, 900)])
def test_tiny_and_uniform_pictures_pass_every_step(shape: tuple[int, int], level: int) -> None:
    for pixels in (np.full(shape, level, np.uint8), np.full((*shape, 3), level, np.uint8)):
        outputs = [
            remove_border(pixels, BorderOptions())[0],
            remove_border(pixels, BorderOptions(crop=False))[0],
            denoise(pixels, DenoiseOptions()),
            denoise(pixels, DenoiseOptions(method="despeckle")),
            turn(pixels, 90)[0],
            deskew(pixels, DeskewOptions(), BUDGET)[0],
            deskew(pixels, DeskewOptions(angle=3), BUDGET)[0],
            scale(pixels, ScaleOptions(), BUDGET)[0],
            scale(pixels, ScaleOptions(method="factor", factor=0.1), BUDGET)[0],
            *(binarize(pixels, BinarizeOptions(method=method)) for method in METHODS),
        ]
        assert all(picture.size and picture.dtype == np.uint8 for picture in outputs)


def test_steps_run_in_the_documented_order() -> None:
    every = PreprocessOptions(**{name: {} for name in reversed(PreprocessOptions.model_fields)})
    assert [step.name for step in steps(PipelineOptions(preprocess=every))] == list(PreprocessOptions.model_fields)
    assert list(steps(PipelineOptions())) == []

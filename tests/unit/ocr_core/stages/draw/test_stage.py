"""Overlays: colours, fills, labels that hide nothing, text beside the page, fonts."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFont

from inkstream import (
    Box,
    EnvironmentFault,
    Level,
    PageResult,
    PipelineOptions,
    Region,
    build_pipeline,
    check_environment,
    open_document,
)
from inkstream.ocr_core.options import DrawOptions, TextLayerOptions
from inkstream.ocr_core.stages.draw.fonts import font_for
from inkstream.ocr_core.stages.draw.labels import LabelPlacer
from inkstream.ocr_core.stages.draw.stage import color_of, draw_regions, shown
from tests import generators

DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
WHITE = (255, 255, 255)


def region(box: Box, confidence: float | None = 90.0, text: str = "text", level: Level = Level.LINE) -> Region:
    return Region(0, None, level, box, text, confidence, "tesseract")


def drawn(regions: list[Region], size: tuple[int, int] = (400, 300), **options: Any) -> np.ndarray[Any, Any]:
    return np.asarray(draw_regions(Image.new("L", size, 255), tuple(regions), 1.0, DrawOptions(**options)))


def run(image: Image.Image, folder: Path, **draw: Any) -> PageResult:
    image.save(folder / "page.png", dpi=(300, 300))
    options = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"), draw=DrawOptions(**draw))
    with open_document(folder / "page.png") as document:
        result = build_pipeline(options).run(document, 0)
    assert result.failure is None
    return result


def overlay(result: PageResult) -> Image.Image:
    return Image.open(io.BytesIO(result.overlay or b""))


def test_a_rotated_region_gets_a_rotated_outline() -> None:
    box = Box(100, 120, 200, 60, 30)
    picture = drawn([region(box)], label="none", color="#ff0000")
    red = (picture == (255, 0, 0)).all(axis=2)
    for (x1, y1), (x2, y2) in itertools.pairwise([*box.corners(), box.corners()[0]]):
        x, y = round((x1 + x2) / 2), round((y1 + y2) / 2)
        assert red[y - 6 : y + 7, x - 6 : x + 7].any()
    upright_edges = (
        (slice(114, 127), slice(240, 290)),
        (slice(174, 187), slice(110, 160)),
    )  # of the box without its angle
    assert not any(red[part].any() for part in upright_edges)
    assert not red[150, 180:220].any(), "nothing is drawn on the text itself"


@pytest.mark.parametrize(("opacity", "inside"), [(0.0, WHITE), (0.5, (255, 127, 127)), (1.0, (255, 0, 0))])
def test_a_fill_has_its_opacity_even_where_regions_overlap(opacity: float, inside: tuple[int, int, int]) -> None:
    picture = drawn(
        [region(Box(100, 100, 200, 60)), region(Box(150, 100, 200, 60))],
        label="none",
        color="#ff0000",
        filled=True,
        fill_opacity=opacity,
    )
    for x in (130, 230):
        assert picture[130, x] == pytest.approx(inside, abs=1), "overlapping fills are no darker"


def simulated(color: tuple[int, int, int], matrix: list[list[float]]) -> np.ndarray[Any, Any]:
    """Return a colour as someone with this colour vision sees it, in CIE Lab, after Machado et al. (2009)."""
    linear = np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in np.array(color) / 255])
    seen = np.clip(np.array(matrix) @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    f = np.cbrt(xyz / (0.9505, 1.0, 1.089))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(
    "matrix",
    [
        pytest.param([[1, 0, 0], [0, 1, 0], [0, 0, 1]], id="normal"),
        pytest.param([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]], id="protanopia"),
        pytest.param([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]], id="deuteranopia"),
        pytest.param([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]], id="tritanopia"),
    ],
)
def test_confidence_colours_are_distinct_with_any_colour_vision(matrix: list[list[float]]) -> None:
    options = DrawOptions(color_by_confidence=True)
    low, middle, high = (simulated(color_of(confidence, options), matrix) for confidence in (20, 75, 97))
    for first, second in itertools.combinations((low, middle, high), 2):
        assert np.linalg.norm(first - second) > 35, "a difference of 2 can just be seen"


def test_confidence_colours_change_between_50_and_95() -> None:
    options = DrawOptions(color_by_confidence=True, color="blue")
    assert color_of(None, options) == (0, 0, 255)
    assert color_of(0, options) == color_of(50, options)
    assert color_of(95, options) == color_of(100, options)
    assert len({color_of(confidence, options) for confidence in range(50, 96)}) == 46
    assert color_of(30, DrawOptions(color="blue")) == (0, 0, 255)


def test_labels_do_not_cover_text(tmp_path: Path) -> None:
    """Drawing labels changes fewer than 1 % of the dark pixels."""
    lines = ["The inner basin takes fishing vessels only, the", "outer one takes ferries. Berths are given out"] * 8
    page = generators.page_image(lines, dpi=150)
    regions = run(page, tmp_path).regions
    for level in Level:
        before, after = (
            np.asarray(
                draw_regions(page, regions, 1, DrawOptions(level=level, color="red", line_width=1, label=label))
            ).astype(int)
            for label in ("none", "confidence")
        )
        assert (before != after).any(), "there are labels"
        ink = before.max(axis=2) < 100
        assert (after[ink] != before[ink]).any(axis=1).mean() < 0.01, level


def test_a_label_is_legible_on_a_page_of_twelve_megapixels(tmp_path: Path) -> None:
    page = Image.new("L", (3000, 4000), 255)
    page.paste(generators.text_image("The harbour office", size=(2000, 300), font_size=80), (300, 1500))
    result = run(page, tmp_path, max_side=4000, format="png", color="black")
    line = next(r for r in result.regions if r.level is Level.LINE)
    label = (
        overlay(result)
        .convert("L")
        .crop((int(line.box.right) + 10, int(line.box.top) - 10, int(line.box.right) + 200, int(line.box.bottom) + 10))
    )
    ink = np.argwhere(np.asarray(label) < 100)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    assert bottom - top > 40, "the label is nearly as large as its text"
    inner = Image.new("L", (400, 200), 255)
    inner.paste(
        Image.eval(label.crop((left + 8, top + 8, right - 7, bottom - 7)), lambda value: 255 - value), (150, 70)
    )
    assert run(inner, tmp_path).text == f"{line.confidence:.0f}"


def test_labels_stay_inside_the_picture_and_do_not_overlap() -> None:
    placement = LabelPlacer(np.full((200, 300), 255, np.uint8), gap=3)
    quads = [Box(0, 0, 300, 30).corners(), Box(250, 100, 50, 30).corners(), Box(250, 105, 50, 30).corners()]
    places = [placement.find(quad, 40, 20) for quad in quads]
    covered = np.zeros((200, 300), int)
    for place in places:
        assert place is not None
        assert 0 <= place.left <= 300 - place.width
        assert 0 <= place.top <= 200 - place.height
        covered[place.window] += 1
    assert covered.max() == 1


def test_a_label_without_room_is_left_out() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (200, 150))
    placement = LabelPlacer(stripes, gap=3)
    assert placement.find(Box(100, 100, 50, 30).corners(), 40, 20) is None
    assert placement.find(Box(100, 100, 50, 30).corners(), 400, 20) is None


def test_a_region_as_large_as_the_page_gets_its_label_inside() -> None:
    picture = drawn([region(Box(0, 0, 400, 300), level=Level.BLOCK)], color="#ff0000", line_width=1)
    assert (picture == (255, 0, 0)).all(axis=2).sum() > 100


@pytest.mark.parametrize("encoding", ["jpeg", "png", "webp"])
def test_text_drawn_beside_the_page_is_legible_and_complete(tmp_path: Path, encoding: str) -> None:
    """Recognising the right half gives the text of the page."""
    page = generators.page_image(["The inner basin takes fishing", "vessels only, the outer one", "takes ferries"])
    result = run(page, tmp_path, label="text", color="white", format=encoding, max_side=3400, quality=90)
    picture = overlay(result)
    assert picture.size == (2 * page.width, page.height)
    panel = picture.convert("L").crop((page.width + 2, 0, 2 * page.width, page.height))
    again = run(panel, tmp_path)
    assert str(again.text).split() == str(result.text).split()
    assert max(overlay(run(page, tmp_path, label="text", max_side=900)).size) <= 900


def test_text_of_rotated_and_tall_regions_is_drawn_vertically() -> None:
    wide = drawn([region(Box(50, 130, 300, 40), text="Harbour office")], label="text")[:, 400:]
    tall = drawn([region(Box(180, 20, 40, 260), text="Harbour office")], label="text")[:, 400:]
    rotated = drawn([region(Box(50, 130, 300, 40, 90), text="Harbour office")], label="text")[:, 400:]
    for picture, is_horizontal in ((wide, True), (tall, False), (rotated, False)):
        rows, columns = np.nonzero(picture.max(axis=2) < 60)
        assert (np.ptp(columns) > 3 * np.ptp(rows)) == is_horizontal


def test_spaces_are_not_drawn() -> None:
    word = region(Box(0, 0, 9, 9), level=Level.WORD)
    space = region(Box(9, 0, 4, 9), confidence=None, text=" ", level=Level.WORD)
    assert shown((word, space), Level.WORD) == [word]


def test_characters_without_a_glyph_become_dots() -> None:
    assert font_for("Total 12.50", 20)[1] == "Total 12.50"
    font, text = font_for("Total \U00012345\U00012346 5", 20)
    assert (font.getname()[0], text) == ("Aileron", "Total ... 5")


@pytest.mark.skipif(not DEJAVU.exists(), reason="DejaVu is not installed")
def test_an_installed_font_draws_scripts_that_the_default_lacks() -> None:
    font, text = font_for("Привет, гавань", 20)
    assert text == "Привет, гавань"
    assert font.getname()[0] != "Aileron"
    assert font_for("plain", 20, str(DEJAVU))[0].getname() == ("DejaVu Sans", "Book")
    options = PipelineOptions(draw=DrawOptions(font=str(DEJAVU)))
    check = next(check for check in check_environment(options) if check.name == "label font")
    assert (check.ok, check.detail) == (True, f"{DEJAVU}: DejaVu Sans Book")


def test_an_invalid_or_missing_font_is_an_environment_fault(tmp_path: Path) -> None:
    (tmp_path / "font.ttf").write_text("no font")
    for path in (tmp_path / "font.ttf", tmp_path / "missing.ttf"):
        with pytest.raises(EnvironmentFault, match=r"draw\.font"):
            font_for("text", 12, str(path))
        checks = check_environment(PipelineOptions(draw=DrawOptions(font=str(path))))
        assert [check.name for check in checks if not check.ok] == ["label font"]


def test_pillow_has_a_scalable_default_font() -> None:
    assert isinstance(ImageFont.load_default(size=12), ImageFont.FreeTypeFont)

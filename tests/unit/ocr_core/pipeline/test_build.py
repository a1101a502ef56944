from __future__ import annotations

import io
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkstream import (
    Box,
    ConfigError,
    Document,
    DocumentError,
    FailureKind,
    Level,
    PageResult,
    Pipeline,
    PipelineOptions,
    Region,
    WorkingPage,
    build_pipeline,
    open_document,
)
from inkstream.ocr_core.engines.tesseract.entry import TESSERACT
from inkstream.ocr_core.options import (
    BinarizeOptions,
    DetectOptions,
    DrawOptions,
    PreprocessOptions,
    RecognizeOptions,
    RenderOptions,
    TextLayerOptions,
)
from inkstream.ocr_core.stages.detect import Detect
from inkstream.ocr_core.stages.draw.stage import Draw, shown
from inkstream.ocr_core.stages.preprocess.binarize import binarize
from inkstream.ocr_core.stages.recognize import Recognize
from inkstream.ocr_core.stages.render import Render
from tests import generators

BASE = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"))
BINDINGS = ["tesserocr", "pytesseract"]


def options(**changes: object) -> PipelineOptions:
    return BASE.model_copy(update=changes)


def run(path: Path, chosen: PipelineOptions, pagenum: int = 0) -> PageResult:
    with open_document(path) as document:
        return build_pipeline(chosen).run(document, pagenum)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    """Draw a heading, far above a paragraph of three lines."""
    page = generators.text_image("Harbour office", size=(2000, 1500), font_size=70)
    body = "The inner basin takes\nfishing vessels only, the\nouter one takes ferries"
    page.paste(generators.text_image(body, size=(1200, 500), font_size=60), (200, 600))
    path = tmp_path / "letter.png"
    page.save(path, dpi=(200, 200))
    return path


def test_an_impossible_pipeline_is_rejected_when_built() -> None:
    message = "recognize needs regions; no earlier stage provides them"
    with pytest.raises(ConfigError, match=message):
        build_pipeline(options(recognize=RecognizeOptions(per_region=True)))
    with pytest.raises(ConfigError, match=message):
        Pipeline([Render(RenderOptions()), Recognize(RecognizeOptions(per_region=True), TESSERACT)])
    with pytest.raises(ConfigError, match="draw needs pixels; no earlier stage provides them"):
        Pipeline([Draw(DrawOptions())])
    with pytest.raises(ConfigError, match=r"draw\.color"):
        build_pipeline(options(draw=DrawOptions(color="grün")))


def test_a_hand_built_pipeline_may_only_detect(letter: Path) -> None:
    chain = Pipeline([Render(RenderOptions()), Detect(DetectOptions(level=Level.LINE), RecognizeOptions())])
    with open_document(letter) as document:
        result = chain.run(document, 0)
    assert result.failure is None
    lines = [region for region in result.regions if region.level is Level.LINE]
    assert len(lines) == 4
    assert all(region.text is None and region.confidence is None for region in lines)
    assert all(result.regions[line.parent or 0].level is Level.PARAGRAPH for line in lines)


@pytest.mark.parametrize("binding", BINDINGS)
def test_regions_form_a_tree_from_blocks_to_words(letter: Path, binding: str) -> None:
    result = run(letter, options(recognize=RecognizeOptions(binding=binding)))
    assert result.text is not None
    assert result.text.startswith("Harbour office\n\nThe inner basin takes\nfishing vessels only, the\n")
    assert [region.index for region in result.regions] == list(range(len(result.regions)))
    for region in result.regions:
        assert region.confidence is not None
        assert 0 <= region.confidence <= 100
        if region.parent is None:
            assert region.level is Level.BLOCK
            continue
        parent = result.regions[region.parent]
        assert list(Level).index(parent.level) == list(Level).index(region.level) - 1
        assert parent.box.left <= region.box.left
        assert parent.box.bottom >= region.box.bottom
    words = [region for region in result.regions if region.level is Level.WORD]
    assert " ".join(str(word.text) for word in words) == " ".join(result.text.split())
    mean = sum(word.confidence or 0 for word in words) / len(words)
    assert result.confidence == pytest.approx(mean, abs=0.02)


def test_both_bindings_give_the_same_text_and_regions(letter: Path) -> None:
    first, second = (run(letter, options(recognize=RecognizeOptions(binding=binding))) for binding in BINDINGS)
    assert first.text == second.text
    shapes = [[(r.level, r.parent, r.text) for r in result.regions] for result in (first, second)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("level", [Level.BLOCK, Level.PARAGRAPH, Level.LINE, Level.WORD])
def test_regions_of_every_level_can_be_read_one_by_one(letter: Path, level: Level, binding: str) -> None:
    chosen = options(
        detect=DetectOptions(level=level),
        recognize=RecognizeOptions(per_region=True, page_seg_mode=6, binding=binding),
    )
    result = run(letter, chosen)
    assert result.failure is None
    assert result.text is not None
    for phrase in ("Harbour office", "The inner", "vessels only, the", "takes ferries"):
        assert phrase in result.text
    if level is not Level.WORD:
        assert "basin takes\nfishing vessels" in result.text
    lines = [region for region in result.regions if region.level is Level.LINE]
    assert len(lines) == 4
    assert lines[0].box.top < 200, "boxes are in pixels of the page, not of the region"


def test_a_region_as_wide_as_the_page_is_read_correctly(tmp_path: Path) -> None:
    """libtesseract reads such a rectangle at the wrong height if it is only set on the page."""
    image = generators.text_image("Upper line of it\n\n\n\nLower line of it", size=(1000, 700), font_size=80)
    image.crop((50, 0, 740, 700)).save(tmp_path / "a.png")
    chosen = options(
        detect=DetectOptions(level=Level.BLOCK), recognize=RecognizeOptions(per_region=True, page_seg_mode=6)
    )
    result = run(tmp_path / "a.png", chosen)
    assert result.text == "Upper line of it\n\nLower line of it"


@pytest.mark.parametrize("level", list(Level))
def test_iterator_level_is_the_finest_level_kept(letter: Path, level: Level) -> None:
    result = run(letter, options(recognize=RecognizeOptions(iterator_level=level)))
    expected = list(Level)[: list(Level).index(level) + 1]
    assert {region.level for region in result.regions} == set(expected)


def smudged(text: str) -> Image.Image:
    """Draw a word that is read with little confidence."""
    small = generators.text_image(text, size=(500, 140), font_size=40).resize((100, 28))
    return small.resize((500, 140))


def test_the_confidence_threshold_applies_at_the_iterator_level(tmp_path: Path) -> None:
    image = generators.text_image("Clear and readable words", size=(1400, 400))
    image.paste(smudged("illegible"), (60, 220))
    image.save(tmp_path / "a.png")
    everything = run(tmp_path / "a.png", BASE)
    assert everything.text is not None
    assert everything.text != "Clear and readable words", "the noise must be read as something"
    for level in (Level.WORD, Level.LINE):
        strict = RecognizeOptions(confidence_threshold=75, iterator_level=level)
        result = run(tmp_path / "a.png", options(recognize=strict))
        assert result.text == "Clear and readable words"
        assert all((region.confidence or 0) >= 75 for region in result.regions if region.level is level)
    nothing = run(tmp_path / "a.png", options(recognize=RecognizeOptions(confidence_threshold=100)))
    assert (nothing.text, nothing.failure, nothing.confidence, nothing.regions) == ("", None, None, ())


@pytest.mark.parametrize("binding", BINDINGS)
def test_variables_reach_tesseract(tmp_path: Path, binding: str) -> None:
    generators.text_image("Room 101 and 202").save(tmp_path / "a.png")
    digits = RecognizeOptions(binding=binding, variables={"tessedit_char_whitelist": "0123456789"}, page_seg_mode=7)
    result = run(tmp_path / "a.png", options(recognize=digits))
    assert re.fullmatch(r"[\d\s]+", result.text or "")
    assert "101" in (result.text or "")


def test_an_unknown_variable_is_a_config_error(tmp_path: Path) -> None:
    generators.text_image().save(tmp_path / "a.png")
    with pytest.raises(ConfigError, match="no_such_thing"):
        run(tmp_path / "a.png", options(recognize=RecognizeOptions(variables={"no_such_thing": "1"})))


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_page_over_the_time_limit_is_a_timeout(tmp_path: Path, binding: str) -> None:
    generators.page_image(["many words to be read on this line"] * 26, dpi=300).save(tmp_path / "a.png")
    result = run(tmp_path / "a.png", options(recognize=RecognizeOptions(binding=binding, time_limit=0.15)))
    assert result.failure is not None
    assert result.failure.kind is FailureKind.TIMEOUT
    assert "0.15 s (recognize.time_limit)" in result.failure.message
    assert (result.width, result.height) == (2550, 3300)


@pytest.mark.parametrize(
    "method", ["threshold", "otsu", "mean", "gaussian", "sauvola", "wolf", "nick", "isauvola", "singh"]
)
def test_a_shaded_page_is_legible_after_every_binarize_method(tmp_path: Path, method: str) -> None:
    page = np.asarray(generators.text_image(), dtype=np.float32)
    shaded = (page * np.linspace(0.7, 1.0, page.shape[1]) * 0.9 + 20).clip(0, 255).astype(np.uint8)
    chosen = BinarizeOptions(method=method, threshold=120)
    for pixels in (shaded, np.dstack([shaded] * 3)):
        binarized = binarize(pixels, chosen)
        assert binarized.shape == shaded.shape
        assert set(np.unique(binarized)) == {0, 255}
    Image.fromarray(shaded).save(tmp_path / "a.png")
    result = run(tmp_path / "a.png", options(preprocess=PreprocessOptions(binarize=chosen)))
    assert result.text == generators.PANGRAM


def test_binarize_accepts_a_window_wider_than_the_picture() -> None:
    assert binarize(np.zeros((5, 4), np.uint8), BinarizeOptions(method="sauvola")).shape == (5, 4)


@pytest.mark.parametrize("encoding", ["jpeg", "png", "webp"])
def test_the_overlay_outlines_lines_in_every_encoding(letter: Path, encoding: str) -> None:
    result = run(letter, options(draw=DrawOptions(format=encoding, color="#ff0000", max_side=1000)))
    assert result.overlay is not None
    assert result.overlay_format == encoding
    picture = Image.open(io.BytesIO(result.overlay), formats=[encoding.upper()])
    assert picture.size == (1000, 750)
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    red = (pixels[..., 0] > 180) & (pixels[..., 1] < 90) & (pixels[..., 2] < 90)
    line = next(region for region in result.regions if region.level is Level.LINE)
    row, column = round((line.box.top - 5) / 2), round((line.box.left + line.box.width / 2) / 2)
    assert red[row - 3 : row + 3, column].any(), "the outline runs just above the letters"


def test_an_overlay_shows_the_next_coarser_level_if_one_is_missing() -> None:
    block = Region(0, None, Level.BLOCK, Box(0, 0, 9, 9), None, None, "x")
    word = replace(block, index=1, parent=0, level=Level.WORD)
    assert shown((block, word), Level.LINE) == [block]
    assert shown((block, word), Level.WORD) == [word]
    assert shown((), Level.WORD) == []


@dataclass(frozen=True)
class Broken:
    """A stage that fails."""

    error: BaseException
    name: str = "broken"
    needs: frozenset[str] = frozenset()
    provides: frozenset[str] = frozenset()

    def run(self, page: WorkingPage) -> None:
        page.text = "lost"
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (DocumentError(FailureKind.CORRUPT, "torn"), FailureKind.CORRUPT, "torn"),
        (MemoryError(), FailureKind.MEMORY, "memory_mb"),
        (ZeroDivisionError("by none"), FailureKind.INTERNAL, "ZeroDivisionError: by none"),
    ],
)
def test_errors_in_a_stage_become_failures(letter: Path, error: BaseException, kind: FailureKind, message: str) -> None:
    with open_document(letter) as document:
        result = _run_broken(document, error)
    assert result.failure is not None
    assert result.failure.kind is kind
    assert message in result.failure.message
    assert (result.pagenum, result.total_pages, result.text) == (0, 1, None)


def _run_broken(document: Document, error: BaseException) -> PageResult:
    return Pipeline([Broken(error)]).run(document, 0)

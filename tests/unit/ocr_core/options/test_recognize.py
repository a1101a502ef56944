"""The effect of the recognition options, the same with either binding."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydantic import ValidationError

from inkstream import (
    ConfigError,
    Level,
    PageResult,
    PipelineOptions,
    Region,
    build_pipeline,
    open_document,
    pipeline_id,
)
from inkstream.ocr_core.engines.tesseract.tessdata import Wanted, find_tessdata
from inkstream.ocr_core.export.tree import page_tree
from inkstream.ocr_core.options import DetectOptions, RecognizeOptions, TextLayerOptions
from tests import generators

BINDINGS = ["tesserocr", "pytesseract"]

pytestmark = pytest.mark.parametrize("binding", BINDINGS)


def read(image: Image.Image | Path, folder: Path, *, detect: bool = False, **recognize: Any) -> PageResult:
    path = image if isinstance(image, Path) else folder / "page.png"
    if isinstance(image, Image.Image):
        image.save(path, dpi=(300, 300))
    options = PipelineOptions(
        text_layer=TextLayerOptions(mode="prefer" if path.suffix == ".pdf" else "ignore"),
        detect=DetectOptions() if detect else None,
        recognize=RecognizeOptions(**recognize),
    )
    with open_document(path) as document:
        result = build_pipeline(options).run(document, 0)
    assert result.failure is None
    return result


def blurred(text: str, scale: float) -> Image.Image:
    """Draw a line of text that is barely legible."""
    image = generators.text_image(text)
    return image.resize((int(image.width * scale), int(image.height * scale))).resize(image.size)


def words(result: PageResult) -> dict[str, Region]:
    return {str(region.text): region for region in result.regions if region.level is Level.WORD}


@pytest.fixture
def bill(tmp_path: Path) -> Path:
    """Draw two columns, the right one aligned right."""
    lines = [("Linen cloth", "12.50"), ("Glue", "7.25"), ("Repair of spine", "120.00")]
    page = generators.text_image("", size=(1600, 500))
    for number, (item, price) in enumerate(lines):
        page.paste(generators.text_image(item, size=(800, 110), font_size=44), (0, 110 * number))
        picture = generators.text_image(price, size=(500, 110), font_size=44)
        end = int(np.flatnonzero((np.asarray(picture) < 128).any(axis=0))[-1]) + 1
        page.paste(picture.crop((0, 0, end, 110)), (1500 - end, 110 * number))
    path = tmp_path / "bill.png"
    page.save(path, dpi=(200, 200))
    return path


def test_keep_layout_aligns_columns(bill: Path, tmp_path: Path, binding: str) -> None:
    for detect in (False, True):
        mode: dict[str, Any] = {"page_seg_mode": 6, "per_region": detect, "binding": binding}
        plain = read(bill, tmp_path, detect=detect, **mode)
        result = read(bill, tmp_path, detect=detect, keep_layout=True, **mode)
        lines = [line for line in str(result.text).split("\n") if line]
        assert [re.sub(r" {2,}", "|", line) for line in lines] == [
            "Linen cloth|12.50",
            "Glue|7.25",
            "Repair of spine|120.00",
        ]
        assert len({len(line) for line in lines}) == 1, "the prices end in one column"
        assert result.regions == plain.regions


def test_keep_layout_and_with_spaces_apply_to_a_text_layer(tmp_path: Path, binding: str) -> None:
    path = generators.born_digital_pdf(tmp_path / "a.pdf", ["Harbour Library\nMinutes of the meeting"])
    result = read(path, tmp_path, keep_layout=True, with_spaces=True, binding=binding)
    assert result.engine == "text_layer"
    assert str(result.text).splitlines() == ["Harbour Library", "Minutes of the meeting"]
    assert sum(region.text == " " for region in result.regions) == 4


def test_with_spaces_adds_regions_between_words(tmp_path: Path, binding: str) -> None:
    image = generators.text_image("one two three")
    plain = read(image, tmp_path, binding=binding)
    result = read(image, tmp_path, with_spaces=True, binding=binding)
    inline = [region for region in result.regions if region.level is Level.WORD]
    assert [region.text for region in inline] == ["one", " ", "two", " ", "three"]
    for before, space, after in zip(inline[::2], inline[1::2], inline[2::2], strict=False):
        assert (space.box.left, space.box.right) == (before.box.right, after.box.left)
        assert space.confidence is None
        assert space.parent == before.parent
    assert (result.text, result.confidence) == (plain.text, plain.confidence)
    assert page_tree(result) == page_tree(plain), "exports have words only"


def test_char_whitelist_and_char_blacklist_limit_the_text(tmp_path: Path, binding: str) -> None:
    image = generators.text_image("Room 101 and 202")
    mode: dict[str, Any] = {"page_seg_mode": 7, "binding": binding}
    digits = read(image, tmp_path, char_whitelist="0123456789", **mode)
    assert re.fullmatch(r"[\d\s]+", str(digits.text))
    assert "101" in str(digits.text)
    without = read(image, tmp_path, char_blacklist="10'\" \\o", **mode)
    assert not set(str(without.text)) & set("10o")
    assert "202" not in str(without.text)
    assert "and" in str(without.text)
    assert read(image, tmp_path, **mode).text == "Room 101 and 202", "the lists do not carry over to the next engine"


def test_user_words_raise_the_confidence_of_a_name(tmp_path: Path, binding: str) -> None:
    image = blurred("The Brznk file", 0.16)
    before = words(read(image, tmp_path, page_seg_mode=7, binding=binding))["Brznk"].confidence or 0
    after = words(read(image, tmp_path, page_seg_mode=7, user_words=["Brznk"], binding=binding))["Brznk"]
    assert (after.confidence or 0) > before + 5


def test_user_patterns_raise_the_confidence_of_a_code(tmp_path: Path, binding: str) -> None:
    image = generators.text_image("Number Q123-456")
    before = read(image, tmp_path, page_seg_mode=7, binding=binding)
    result = read(image, tmp_path, page_seg_mode=7, user_patterns=[r"Q\d\d\d-\d\d\d"], binding=binding)
    assert result.text == "Number Q123-456"
    assert (result.confidence or 0) > (before.confidence or 0) + 2


def test_files_of_user_words_are_removed_after_reading(
    tmp_path: Path, binding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    read(generators.text_image(), tmp_path, user_words=["Brznk"], user_patterns=[r"\d\d"], binding=binding)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_unknown_variable_is_a_config_error(tmp_path: Path, binding: str) -> None:
    with pytest.raises(ConfigError, match="no_such_thing"):
        read(generators.text_image(), tmp_path, variables={"no_such_thing": "1"}, binding=binding)


def test_ignore_resolution_reads_a_page_that_claims_a_wrong_resolution(tmp_path: Path, binding: str) -> None:
    """At the resolution that the ruled form claims, its letters would be specks."""
    path = tmp_path / "page.png"
    text = "The inner basin takes\nfishing vessels only, the\nouter one takes ferries"
    page = generators.text_image(text, size=(400, 200), font_size=20)
    draw = ImageDraw.Draw(page)
    draw.rectangle((30, 30, 370, 170), outline=0, width=2)
    for y in (0, 66, 132, 198):
        draw.line((5, y, 395, y), fill=0, width=2)
    page.save(path, dpi=(1200, 1200))
    as_claimed = read(path, tmp_path, binding=binding)
    estimated = read(path, tmp_path, ignore_resolution=True, binding=binding)
    assert as_claimed.resolution == estimated.resolution == 1200, "the page's own resolution is recorded in both cases"
    assert estimated.text == text
    assert as_claimed.text != text
    assert read(path, tmp_path, binding=binding).text == as_claimed.text, (
        "an estimate does not carry over to the next page"
    )


def test_two_languages_are_read_together(tmp_path: Path, binding: str) -> None:
    """A link to the English model, which is installed everywhere, stands in for a second language."""
    models = tmp_path / "models"
    models.mkdir()
    installed = find_tessdata(Wanted(), ("eng",)) / "eng.traineddata"
    for name in ("eng", "zzz"):
        (models / f"{name}.traineddata").symlink_to(installed)
    result = read(generators.text_image(), tmp_path, languages="zzz+eng", tessdata=str(models), binding=binding)
    assert result.text == generators.PANGRAM


def test_invalid_options_raise_a_validation_error(binding: str) -> None:
    mistakes: list[tuple[dict[str, Any], str]] = [
        ({"user_words": ["two words"]}, "user_words"),
        ({"user_patterns": ["a\nb"]}, "user_patterns"),
        ({"languages": "../eng"}, "languages"),
        ({"variables": {"user_words_file": "/etc/words"}}, "instead of user_words_file"),
        ({"variables": {"tessedit_char_whitelist": "a"}, "char_whitelist": "b"}, "already set by char_whitelist"),
        ({"with_spaces": True, "iterator_level": "line"}, "with_spaces needs iterator_level"),
    ]
    for wrong, message in mistakes:
        with pytest.raises(ValidationError, match=message):
            RecognizeOptions(binding=binding, **wrong)


def test_options_that_change_the_output_change_the_pipeline_id(binding: str) -> None:
    default_id = pipeline_id(PipelineOptions(recognize=RecognizeOptions(binding=binding)), {})
    changes: tuple[dict[str, Any], ...] = (
        {"keep_layout": True},
        {"with_spaces": True},
        {"char_whitelist": "abc"},
        {"user_words": ["abc"]},
        {"user_patterns": [r"\d\d"]},
        {"ignore_resolution": True},
    )
    for change in changes:
        assert pipeline_id(PipelineOptions(recognize=RecognizeOptions(binding=binding, **change)), {}) != default_id

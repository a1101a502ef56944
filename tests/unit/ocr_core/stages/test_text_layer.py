from __future__ import annotations

from pathlib import Path

import pytest

from inkstream import Level, PageResult, PipelineOptions, read_document
from inkstream.ocr_core.options import DrawOptions, RecognizeOptions, TextLayerMode, TextLayerOptions
from tests import generators

TEXT = "Quarterly report of the harbour office\nSecond line of the same paragraph"


def read(path: Path, mode: str = "prefer", min_chars: int = 10, **more: object) -> PageResult:
    layer = TextLayerOptions(mode=TextLayerMode(mode), min_chars=min_chars)
    (result,) = read_document(path, PipelineOptions(text_layer=layer, **more), sandboxed=False)
    return result


def test_a_text_layer_is_used_instead_of_ocr(tmp_path: Path) -> None:
    result = read(generators.born_digital_pdf(tmp_path / "a.pdf", [TEXT]))
    assert (result.text, result.engine, result.confidence) == (TEXT, "text_layer", 100)
    assert (result.width, result.height, result.resolution) == (2550, 3300, 300)
    lines = [region for region in result.regions if region.level is Level.LINE]
    assert [line.text for line in lines] == TEXT.split("\n")
    assert {region.level for region in result.regions} == set(Level)


def test_text_layer_boxes_match_tesseract_and_follow_rotation(tmp_path: Path) -> None:
    for rotate in (0, 90, 270):
        path = generators.born_digital_pdf(tmp_path / "a.pdf", [TEXT], rotate=rotate)
        own = read(path)
        box = own.regions[0].box
        if rotate == 0:
            seen = read(path, "ignore").regions[0].box
            assert abs(box.left - seen.left) < 12
            assert abs(box.bottom - seen.bottom) < 12
            assert abs(box.width - seen.width) < 24
        else:
            assert (own.width, own.height) == (3300, 2550)
            assert box.height > box.width, "the words run down the page"
            assert (box.left > 1650) == (rotate == 90)


def test_ignore_reads_the_pixels(tmp_path: Path) -> None:
    result = read(generators.born_digital_pdf(tmp_path / "a.pdf", [TEXT]), "ignore")
    assert (result.text, result.engine) == (TEXT, "tesseract")


def test_a_text_layer_shorter_than_min_chars_is_not_used(tmp_path: Path) -> None:
    path = generators.born_digital_pdf(tmp_path / "a.pdf", ["Page seven"])
    assert read(path, min_chars=10).engine == "tesseract"
    assert read(path, min_chars=9).engine == "text_layer"


@pytest.mark.parametrize("code_point", ["FFFD", "E012", "0003"])
def test_a_text_layer_with_unmapped_characters_is_not_used(tmp_path: Path, code_point: str) -> None:
    result = read(generators.born_digital_pdf(tmp_path / "a.pdf", [TEXT], to_unicode=code_point))
    assert (result.text, result.engine) == (TEXT, "tesseract")


def test_mode_only_never_runs_ocr(tmp_path: Path) -> None:
    scan = read(generators.scanned_pdf(tmp_path / "a.pdf", [TEXT]), "only")
    assert (scan.text, scan.failure, scan.regions) == ("", None, ())
    assert scan.width == 2550
    (tmp_path / "a.png").write_bytes(b"")
    generators.text_image().save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", "only").text == ""


def test_text_with_lone_surrogates_can_be_encoded(tmp_path: Path) -> None:
    result = read(generators.born_digital_pdf(tmp_path / "a.pdf", [TEXT], to_unicode="D800"), "only", 0)
    assert result.text is not None
    result.text.encode()


def test_distant_lines_become_separate_blocks(tmp_path: Path) -> None:
    path = generators.born_digital_pdf(tmp_path / "a.pdf", ["Heading of it\n\n\n\nBody line one\nBody line two"])
    assert read(path).text == "Heading of it\n\nBody line one\nBody line two"


def test_a_text_layer_follows_iterator_level_and_draw(tmp_path: Path) -> None:
    path = generators.born_digital_pdf(tmp_path / "a.pdf", [TEXT])
    result = read(path, recognize=RecognizeOptions(iterator_level=Level.LINE), draw=DrawOptions())
    assert {region.level for region in result.regions} == {Level.BLOCK, Level.PARAGRAPH, Level.LINE}
    assert result.overlay is not None

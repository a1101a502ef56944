"""Results as text, JSON Lines, hOCR and ALTO: valid, complete, and equal to Tesseract's own output where it exists."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from inkstream import PipelineOptions, read_document
from inkstream.ocr_core.errors import FailureKind
from inkstream.ocr_core.export.alto import alto
from inkstream.ocr_core.export.hocr import hocr
from inkstream.ocr_core.export.text import json_lines, plain_text
from inkstream.ocr_core.export.tree import Element, page_tree
from inkstream.ocr_core.geometry import Box
from inkstream.ocr_core.page import Failure, Level, PageResult, Region
from inkstream.ocr_core.text.words import LEVELS
from tests import generators
from tests.places import ROOT
from tests.unit.ocr_core.pages import page_of, region

ALTO = "{http://www.loc.gov/standards/alto/ns-v4#}"
XHTML = "{http://www.w3.org/1999/xhtml}"
SCHEMA = xmlschema.XMLSchema(ROOT / "tests" / "schemas" / "alto-as-written.xsd")
HOCR_CHECK = Path(sys.executable).with_name("hocr-check")

LINES = [(100.0, 100.0, ["Hello", "big", "world"]), (100.0, 200.0, ["second", "line"])]
FAILED = PageResult(1, 3, failure=Failure(FailureKind.TIMEOUT, "too slow -- and <odd>\x00"), width=10, height=20)
DETECTED = PageResult(
    2,
    3,
    text="",
    width=500,
    height=500,
    resolution=100,
    regions=(region(0, None, Level.BLOCK, Box(1, 2, 3, 4)), region(1, 0, Level.LINE, Box(1, 2, 3, 4))),
)


def words_in(elements: list[Element]) -> list[str]:
    return [e.text for e in elements if e.level is Level.WORD] + [w for e in elements for w in words_in(e.children)]


def valid_alto(text: str) -> ET.Element:
    SCHEMA.validate(text)
    return ET.fromstring(text)


def checked_hocr(text: str, path: Path, *, overlaps: bool = True) -> ET.Element:
    """Parse hOCR as XHTML, and check it with hocr-tools."""
    path.write_text(text, encoding="utf-8")
    options = [] if overlaps else ["--nooverlap"]
    process = subprocess.run(
        [sys.executable, HOCR_CHECK, *options, path], capture_output=True, text=True, check=True, timeout=60
    )
    results = process.stderr.splitlines()
    assert len(results) >= 3
    assert [line for line in results if not line.startswith("ok ")] == []
    return ET.fromstring(text)


def properties(element: ET.Element) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in element.get("title", "").split(";"))
    return {name: value for name, _, value in parts}


def of_class(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if element.get("class") == name]


def test_hocr_of_several_pages_is_valid_and_has_word_boxes(tmp_path: Path) -> None:
    text = hocr([page_of(LINES), FAILED, DETECTED], 'a "b"; c.pdf')
    root = checked_hocr(text, tmp_path / "a.hocr", overlaps=False)
    pages = of_class(root, "ocr_page")
    assert [properties(page)["ppageno"] for page in pages] == ["0", "1", "2"]
    assert properties(pages[0])["bbox"] == "0 0 1000 1000"
    assert properties(pages[0])["scan_res"] == "100 100"
    assert properties(pages[0])["image"] == '"a %22b%22%3B c.pdf"'
    assert [word.text for word in of_class(root, "ocrx_word")] == ["Hello", "big", "world", "second", "line"]
    hello = of_class(root, "ocrx_word")[0]
    assert properties(hello) == {"bbox": "100 100 250 150", "x_wconf": "90"}
    assert properties(of_class(root, "ocr_line")[0])["baseline"] == "0.0000 0.0"
    assert of_class(pages[1], "ocr_line") == []
    assert "page 2 could not be read: timeout: too slow - - and <odd>" in text
    assert properties(of_class(pages[2], "ocr_line")[0])["bbox"] == "1 2 4 6"
    assert len({element.get("id") for element in root.iter() if element.get("id")}) == text.count(' id="')


def test_hocr_of_a_whole_page_passes_the_overlap_checks(tmp_path: Path) -> None:
    checked_hocr(hocr([page_of(LINES)], "a.png"), tmp_path / "a.hocr")


def test_alto_of_several_pages_is_valid_and_has_word_boxes() -> None:
    text = alto([page_of(LINES), FAILED, DETECTED], "a & b.pdf")
    root = valid_alto(text)
    pages = root.findall(f".//{ALTO}Page")
    assert [page.get("PHYSICAL_IMG_NR") for page in pages] == ["1", "2", "3"]
    assert [string.get("CONTENT") for string in root.iter(f"{ALTO}String")] == [
        "Hello",
        "big",
        "world",
        "second",
        "line",
    ]
    hello = next(root.iter(f"{ALTO}String"))
    assert [hello.get(name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT", "WC")] == ["100", "100", "150", "50", "0.9"]
    assert next(root.iter(f"{ALTO}TextLine")).get("BASELINE") == "100.0,150.0 550.0,150.0"
    assert pages[1].get("QUALITY_DETAIL") == "could not be read: timeout: too slow -- and <odd>\ufffd"
    assert list(pages[1].iter(f"{ALTO}ComposedBlock")) == []
    assert "<!-- page 2 could not be read" in text
    assert len(list(pages[2].iter(f"{ALTO}TextBlock"))) == 1
    assert root.findtext(f".//{ALTO}fileName") == "a & b.pdf"


def test_rotated_boxes_keep_their_angle(tmp_path: Path) -> None:
    page = page_of([(400, 400, ["turned"])], angle=30.0)
    line = of_class(checked_hocr(hocr([page], "a.png"), tmp_path / "a.hocr"), "ocr_line")[0]
    assert properties(line)["textangle"] == "-30"
    assert "baseline" not in properties(line)
    points = [int(value) for value in properties(line)["poly"].split()]
    left, top, right, bottom = (int(value) for value in properties(line)["bbox"].split())
    assert all(left <= x <= right for x in points[::2])
    assert all(top <= y <= bottom for y in points[1::2])
    block = PageResult(1, 2, width=9, height=9, regions=(region(0, None, Level.BLOCK, Box(10, 10, 50, 10, 90), "up"),))
    root = valid_alto(alto([block, page], "a.png"))
    assert next(root.iter(f"{ALTO}ComposedBlock")).get("ROTATION") == "-90"
    assert len(list(root.iter(f"{ALTO}Polygon"))) == 1 + 2


@pytest.mark.parametrize("finest", LEVELS)
def test_coarse_regions_are_exported_with_all_their_words(finest: Level, tmp_path: Path) -> None:
    source = generators.born_digital_pdf(tmp_path / "a.pdf", ["First line here\nand a second one"])
    options = PipelineOptions.model_validate({"recognize": {"iterator_level": finest}})
    pages = list(read_document(source, options, sandboxed=False))
    expected = ["First", "line", "here", "and", "a", "second", "one"]
    assert {region.level for region in pages[0].regions} == set(LEVELS[: LEVELS.index(finest) + 1])
    root = checked_hocr(hocr(pages, "a.pdf"), tmp_path / "a.hocr")
    assert [word.text for word in of_class(root, "ocrx_word")] == expected
    assert [string.get("CONTENT") for string in valid_alto(alto(pages, "a.pdf")).iter(f"{ALTO}String")] == expected
    assert len(of_class(root, "ocr_line")) == 2
    with_box = {kind for kind in ("ocr_carea", "ocr_par", "ocr_line", "ocrx_word") if has_boxes(root, kind)}
    assert with_box == set(("ocr_carea", "ocr_par", "ocr_line", "ocrx_word")[: LEVELS.index(finest) + 1])


def has_boxes(root: ET.Element, kind: str) -> bool:
    return all("bbox" in properties(element) for element in of_class(root, kind))


def test_words_without_parents_get_lines_and_a_block() -> None:
    boxes = [Box(0, 0, 50, 20), Box(60, 2, 50, 20), Box(0, 100, 50, 20)]
    words = tuple(region(n, None, Level.WORD, box, f"w{n}") for n, box in enumerate(boxes))
    (block,) = page_tree(PageResult(0, 1, text="w0 w1 w2", regions=words, width=200, height=200))
    (paragraph,) = block.children
    assert [[word.text for word in line.children] for line in paragraph.children] == [["w0", "w1"], ["w2"]]
    assert block.box == Box(0, 0, 110, 120)


@pytest.mark.parametrize(("tops", "angle"), [((100, 210), 90.0), ((210, 100), -90.0)], ids=["down", "up"])
def test_vertical_lines_get_their_angle(tops: tuple[int, int], angle: float) -> None:
    words = [region(n, 0, Level.WORD, Box(50, top, 20, 100), f"w{n}") for n, top in enumerate(tops, 1)]
    line = region(0, None, Level.LINE, Box(50, 100, 20, 210))
    (block,) = page_tree(PageResult(0, 1, text="w1 w2", regions=(line, *words), width=200, height=400))
    (element,) = block.children[0].children
    assert element.box == Box(-45, 195, 210, 20, angle)
    assert element.children[0].box == Box(10, tops[0] + 40, 100, 20, angle)


def test_text_without_regions_becomes_a_block_of_page_size() -> None:
    (block,) = page_tree(PageResult(0, 1, text="one two\nthree\n\nfour", width=200, height=100))
    assert block.box == Box(0, 0, 200, 100)
    lines = [[word.text for word in line.children] for part in block.children for line in part.children]
    assert lines == [["one", "two"], ["three"], ["four"]]


anything = st.text(st.characters(), max_size=8)
boxes = st.builds(Box, *[st.floats(0, 5000, width=32)] * 4, st.sampled_from([0.0, 0.0, 12.5, 90.0, -179.0]))


@st.composite
def results(draw: st.DrawFn) -> PageResult:
    regions = []
    for index in range(draw(st.integers(0, 8))):
        parent = draw(st.none() | st.integers(0, max(index - 1, 0)))
        text, confidence = draw(st.none() | anything), draw(st.none() | st.floats(0, 100))
        level = draw(st.sampled_from(LEVELS))
        regions.append(Region(index, parent if index else None, level, draw(boxes), text, confidence, "any"))
    size = draw(st.sampled_from([(None, None, None), (800, 600, 100)]))
    failure = draw(st.none() | st.builds(Failure, st.sampled_from(FailureKind), anything))
    text = None if failure else draw(anything)
    return PageResult(0, 1, text, 50.0, tuple(regions), *size, failure=failure)


@given(results(), anything)
def test_every_format_is_well_formed_and_loses_no_word(page: PageResult, name: str) -> None:
    root = ET.fromstring(hocr([page], name))
    expected = words_in(page_tree(page))
    assert len(of_class(root, "ocrx_word")) == len(expected)
    written = valid_alto(alto([page], name))
    assert len(list(written.iter(f"{ALTO}String"))) == len([word for word in expected if word])
    leaves = {r.parent for r in page.regions if r.text and r.text.strip()}
    for each in page.regions:
        if each.text and each.level is Level.WORD and each.index not in leaves:
            assert each.text in expected
    json_lines([page]).encode("utf-8", "replace")


def test_plain_text_keeps_the_place_of_a_failed_page() -> None:
    last = PageResult(2, 3, text="the end")
    assert plain_text([page_of(LINES), FAILED, last]) == "Hello big world\nsecond line\n\f\fthe end\n"


def test_json_lines_have_a_line_for_each_page() -> None:
    lines: list[dict[str, Any]] = [json.loads(line) for line in json_lines([page_of(LINES), FAILED]).splitlines()]
    assert [line["exception_kind"] for line in lines] == [None, "timeout"]
    assert lines[0]["regions"][3]["box"] == {"left": 100, "top": 100, "width": 150, "height": 50, "angle": 0}


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="the program tesseract is not installed")
def test_hocr_and_alto_match_tesseract_s_own_output(tmp_path: Path) -> None:
    """Tesseract reads the page for Inkstream, and also writes its own hOCR and ALTO from the command line."""
    image = tmp_path / "page.png"
    lines = ["The harbour library", "opens at nine on weekdays", "and closes at five."]
    generators.page_image(lines).save(image, dpi=(150, 150))
    options = PipelineOptions.model_validate({"recognize": {"binding": "pytesseract"}})
    pages = list(read_document(image, options, sandboxed=False))
    command = ["tesseract", str(image), str(tmp_path / "theirs"), "--dpi", "150", "--oem", "1", "alto", "hocr"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)

    names = ("CONTENT", "HPOS", "VPOS", "WIDTH", "HEIGHT")
    theirs = ET.parse(tmp_path / "theirs.xml").getroot()
    space = theirs.tag.partition("}")[0] + "}"
    ours = valid_alto(alto(pages, image.name))
    strings = [[string.get(name) for name in names] for string in ours.iter(f"{ALTO}String")]
    assert strings == [[string.get(name) for name in names] for string in theirs.iter(f"{space}String")]
    assert " ".join(str(string[0]) for string in strings) == " ".join(lines)
    nesting = ["ComposedBlock", "TextBlock", "TextLine", "String"]
    assert [tags_above(ours, ALTO)[-4:], tags_above(theirs, space)[-4:]] == [nesting, nesting]

    root = checked_hocr(hocr(pages, image.name), tmp_path / "a.hocr")
    their_hocr = (tmp_path / "theirs.hocr").read_text(encoding="utf-8")
    words = re.findall(r"class='ocrx_word' id='\w+' title='bbox ([\d ]+); x_wconf (\d+)'", their_hocr)
    assert [properties(word)["bbox"] for word in of_class(root, "ocrx_word")] == [box for box, _ in words]
    for line, slope, height in zip(
        of_class(root, "ocr_line"),
        *zip(*re.findall(r"baseline (-?[\d.]+) (-?[\d.]+)", their_hocr), strict=True),
        strict=True,
    ):
        our_slope, our_height = (float(value) for value in properties(line)["baseline"].split())
        assert abs(our_slope - float(slope)) < 0.01
        assert abs(our_height - float(height)) <= 3  # pixels; the letters are about thirty high


def tags_above(root: ET.Element, space: str) -> list[str]:
    """Return the tags of the elements from the root down to the first word."""
    parents = {child: parent for parent in root.iter() for child in parent}
    element: ET.Element | None = next(root.iter(f"{space}String"))
    path: list[str] = []
    while element is not None:
        path.insert(0, element.tag.removeprefix(space))
        element = parents.get(element)
    return path

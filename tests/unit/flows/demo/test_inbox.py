"""The demo's documents: four are legible, one is damaged."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from inkstream.flows.demo.inbox import NAMES, make_inbox

TESSDATA = Path(os.environ.get("TESSDATA_PREFIX", "/usr/share/tesseract-ocr/5/tessdata"))


@pytest.fixture(scope="module")
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "inbox"
    make_inbox(folder)
    return folder


def read(image: Image.Image, page_seg_mode: int = 3) -> str:
    os.environ["OMP_THREAD_LIMIT"] = "1"
    import tesserocr

    with tesserocr.PyTessBaseAPI(path=str(TESSDATA), lang="eng", psm=page_seg_mode) as api:
        api.SetImage(image)
        return re.sub(r"\s+", " ", api.GetUTF8Text())


def pages(path: Path) -> list[Image.Image]:
    if path.suffix != ".pdf":
        with Image.open(path, formats=["PNG", "JPEG"]) as picture:
            return [picture.copy()]
    with pypdfium2.PdfDocument(path) as document:
        return [page.render(scale=300 / 72, grayscale=True).to_pil() for page in document]


def test_the_inbox_holds_exactly_the_five_documents(inbox: Path) -> None:
    assert sorted(path.name for path in inbox.iterdir()) == sorted(NAMES)
    assert sum(path.stat().st_size for path in inbox.iterdir()) < 300_000, (
        "they are part of the wheel and must stay small"
    )


def test_a_second_call_writes_no_new_version(inbox: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in inbox.iterdir()}

    assert set(make_inbox(inbox)) == set(before)

    assert {path: path.stat().st_mtime_ns for path in inbox.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "page", "phrases"),
    [
        ("invoice-scan.pdf", 0, ["Halvorsen & Reed", "HR-2026-0418", "Japanese tissue", "1,496.04"]),
        ("invoice-scan.pdf", 1, ["Terms of sale and delivery", "discount of two per cent"]),
        ("letter.png", 0, ["Dear Ms Okafor", "register of burials for 1847", "Margaret Ellison"]),
        ("receipt.jpg", 0, ["GREEN LANE GROCERS", "Sourdough loaf", "30.82"]),
        ("minutes-2026-11.pdf", 0, ["Harbour Library Committee", "18,450 euros"]),
    ],
)
def test_tesseract_reads_what_is_written(inbox: Path, name: str, page: int, phrases: list[str]) -> None:
    text = read(pages(inbox / name)[page])

    assert [phrase for phrase in phrases if phrase not in text] == []


def test_the_scans_are_pictures_and_the_minutes_have_a_text_layer(inbox: Path) -> None:
    def layers(name: str) -> list[str]:
        with pypdfium2.PdfDocument(inbox / name) as document:
            return [page.get_textpage().get_text_bounded() for page in document]

    assert layers("invoice-scan.pdf") == ["", ""]
    first, second = layers("minutes-2026-11.pdf")
    assert first.startswith("Minutes of the Harbour Library Committee")
    assert "surplus is put aside for the gutters" in second


def test_the_damaged_file_is_a_pdf_that_cannot_be_opened(inbox: Path) -> None:
    data = (inbox / "damaged.pdf").read_bytes()
    assert data.startswith(b"%PDF-1.4")

    with pytest.raises(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(data)


def test_pictures_have_their_format_mode_and_resolution(inbox: Path) -> None:
    with Image.open(inbox / "receipt.jpg") as receipt, Image.open(inbox / "letter.png") as letter:
        assert (receipt.format, receipt.mode) == ("JPEG", "RGB")
        assert (letter.format, letter.mode) == ("PNG", "L")
        assert letter.info["dpi"] == pytest.approx((150, 150), abs=0.1)

"""A picture that PDFium leaves out, or draws in part, is a note; or a failure if the page shows nothing else."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pikepdf
import pytest
from pikepdf import Dictionary, Name, Stream
from PIL import Image

from inkstream import FailureKind, PageResult, PipelineOptions, read_document
from inkstream.ocr_core.options import TextLayerOptions
from tests.generators import PANGRAM, text_image
from tests.holding_generators import annotate, new_pdf, picture, picture_page
from tests.picture_generators import ENCODERS, encoded, picture_pdf

PIXELS = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"))
FULL = b"q 595 0 0 842 0 0 cm /Im0 Do Q\n"
FRAME = b"2 w 20 20 555 802 re S\n"
WORDS = b"BT /F1 18 Tf 60 760 Td (Account statement) Tj ET\n"
SIZE = (620, 877)
NOT_DECODED = "a picture of 620 x 877 pixels cannot be decoded"


def only(path: Path) -> PageResult:
    (result,) = read_document(path, PIXELS, sandboxed=False)
    return result


def grainy() -> Image.Image:
    """Return a scan on grainy paper."""
    grain = np.random.default_rng(0).normal(240, 5, (877, 620)).clip(0, 255).astype(np.uint8)
    page = Image.fromarray(grain)
    page.paste(text_image().resize((500, 94)), (60, 200))
    return page


BROKEN: dict[str, dict[str, Any]] = {
    "jpeg": {"data": b"\xff\xd8\xff\xe0junk" * 30, "filter_name": "DCTDecode"},
    "zeros": {"data": bytes(500), "filter_name": "DCTDecode"},
    "jpeg2000": {"data": b"junk" * 100, "filter_name": "JPXDecode"},
    "jbig2": {"data": b"junk" * 100, "filter_name": "JBIG2Decode", "BitsPerComponent": 1},
    "flate": {"data": b"junk" * 100, "filter_name": "FlateDecode"},
    "unknown": {"data": b"junk" * 100, "filter_name": "WaveletDecode"},
    "no data": {"data": b"", "filter_name": None},
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("frame", [b"", FRAME])
def test_a_page_that_is_only_an_undecodable_picture_is_corrupt(tmp_path: Path, name: str, frame: bytes) -> None:
    result = only(picture_page(tmp_path / "a.pdf", {"size": SIZE, **BROKEN[name]}, FULL + frame))
    assert result.failure is not None
    assert result.failure.kind is FailureKind.CORRUPT
    assert NOT_DECODED in result.failure.message


@pytest.mark.parametrize("name", sorted(BROKEN.keys() - {"flate"}))
def test_an_undecodable_picture_beside_words_is_a_note(tmp_path: Path, name: str) -> None:
    result = only(picture_page(tmp_path / "a.pdf", {"size": SIZE, **BROKEN[name]}, FULL + WORDS))
    assert (result.text, result.notes) == ("Account statement", (NOT_DECODED,))


def test_an_undecodable_picture_under_a_stamp_is_a_note(tmp_path: Path) -> None:
    pdf = new_pdf(FULL)
    pdf.pages[0].obj.Resources.XObject = Dictionary(Im0=picture(pdf, b"junk", SIZE, "JPXDecode"))
    annotate(pdf, "Stamp", 600, "PAID 14 MARCH 2026", F=4)
    pdf.save(tmp_path / "a.pdf")
    result = only(tmp_path / "a.pdf")
    assert (result.text, result.notes) == ("PAID 14 MARCH 2026", (NOT_DECODED,))


def test_a_picture_within_forms_is_checked_where_it_lies(tmp_path: Path) -> None:
    pdf = new_pdf(b"q 1 0 0 1 30 40 cm /Outer Do Q " + WORDS)
    good, bad = picture(pdf, encoded(grainy(), "JPEG"), SIZE, "DCTDecode"), picture(pdf, b"x", (9, 9), "DCTDecode")
    inner = Stream(pdf, b"q 200 0 0 300 0 0 cm /Good Do Q q 90 0 0 90 120 310 cm /Bad Do Q")
    inner.Type, inner.Subtype, inner.BBox, inner.Matrix = Name.XObject, Name.Form, [0, 0, 400, 600], [1, 0, 0, 1, 5, 7]
    inner.Resources = Dictionary(XObject=Dictionary(Good=good, Bad=bad))
    outer = Stream(pdf, b"q 1 0 0 1 20 20 cm /Inner Do Q")
    outer.Type, outer.Subtype, outer.BBox = Name.XObject, Name.Form, [0, 0, 595, 842]
    outer.Resources = Dictionary(XObject=Dictionary(Inner=inner))
    pdf.pages[0].obj.Resources.XObject = Dictionary(Outer=outer)
    pdf.save(tmp_path / "a.pdf")
    assert only(tmp_path / "a.pdf").notes == ("a picture of 9 x 9 pixels cannot be decoded",)


@pytest.mark.parametrize("encoding", sorted(ENCODERS.keys() - {"JPXDecode", "RunLengthDecode"}))
def test_a_picture_that_breaks_off_is_a_note(tmp_path: Path, encoding: str) -> None:
    result = only(picture_pdf(tmp_path / "a.pdf", encoding, cut=0.5))
    assert "a picture of 1600 x 300 pixels breaks off: its end cannot be decoded" in result.notes


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_whole_picture_has_no_note(tmp_path: Path, encoding: str) -> None:
    assert only(picture_pdf(tmp_path / "a.pdf", encoding)).notes == ()


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("colours", ["DeviceGray", "DeviceRGB", "DeviceCMYK"])
def test_samples_of_every_depth_are_whole(tmp_path: Path, bits: int, colours: str) -> None:
    parts = {"DeviceGray": 1, "DeviceRGB": 3, "DeviceCMYK": 4}[colours]
    data = zlib.compress(bytes(877 * -(-620 * bits * parts // 8)))
    made = {"size": SIZE, "data": data, "filter_name": "FlateDecode", "BitsPerComponent": bits}
    result = only(picture_page(tmp_path / "a.pdf", made | {"ColorSpace": Name(f"/{colours}")}, FULL))
    assert (result.failure, result.notes) == (None, ())


def test_white_pictures_and_masks_are_no_fault(tmp_path: Path) -> None:
    white = {"size": SIZE, "data": b"\xff" * (620 * 877), "filter_name": None}
    assert only(picture_page(tmp_path / "a.pdf", white, FULL + WORDS)).notes == ()
    mask = {"size": (16, 16), "data": bytes(32), "filter_name": None, "BitsPerComponent": 1, "ImageMask": True}
    assert only(picture_page(tmp_path / "b.pdf", mask, FULL)).notes == ()


def test_many_broken_pictures_are_counted(tmp_path: Path) -> None:
    pdf = new_pdf(b"".join(b"q 50 0 0 50 %d 100 cm /Im%d Do Q\n" % (60 * n, n) for n in range(8)) + WORDS)
    broken = {f"/Im{n}": picture(pdf, b"x", (9 + n, 9), "DCTDecode") for n in range(8)}
    pdf.pages[0].obj.Resources.XObject = Dictionary(broken)
    pdf.save(tmp_path / "a.pdf")
    notes = only(tmp_path / "a.pdf").notes
    assert len(notes) == 4
    assert notes[-1] == "5 more pictures on the page are broken"


def test_a_grainy_scan_is_not_decoded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture_page(
        tmp_path / "a.pdf",
        {"size": SIZE, "data": encoded(grainy(), "JPEG"), "filter_name": "DCTDecode"},
        FULL + b"BT 3 Tr /F1 9 Tf 60 760 Td (an invisible layer) Tj ET\n",
    )
    for name in ("FPDFImageObj_GetBitmap", "FPDFImageObj_GetImageDataDecoded"):
        monkeypatch.delattr(f"pypdfium2.raw.{name}")
    result = only(path)
    assert (result.failure, result.text) == (None, PANGRAM)


def test_a_page_without_pictures_is_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_pdf(WORDS).save(tmp_path / "a.pdf")
    monkeypatch.delattr("pypdfium2.raw.FPDFPageObj_GetBounds")
    assert only(tmp_path / "a.pdf").text == "Account statement"


def test_pikepdf_keeps_the_broken_data(tmp_path: Path) -> None:
    """The other tests depend on it: qpdf must not leave out or mend a stream when it saves."""
    path = picture_page(tmp_path / "a.pdf", {"size": SIZE, **BROKEN["flate"]}, FULL)
    with pikepdf.open(path) as pdf:
        assert pdf.pages[0].obj.Resources.XObject.Im0.read_raw_bytes() == b"junk" * 100

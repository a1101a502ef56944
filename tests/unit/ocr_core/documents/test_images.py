"""A picture of known text is recognised in every supported format and variant."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from inkstream import FailureKind, PageResult, PipelineOptions, probe, read_document
from inkstream.ocr_core.options import RenderOptions, TextLayerOptions
from tests import picture_generators as make
from tests.generators import PANGRAM, born_digital_pdf, text_image

IGNORE = PipelineOptions(text_layer=TextLayerOptions(mode="ignore"))


def only(path: Path, options: PipelineOptions = IGNORE) -> PageResult:
    (result,) = read_document(path, options, sandboxed=False)
    return result


MODES = {
    "JPEG2000": ("L", "RGB", "RGBA", "LA", "CMYK", "I;16"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("1", "L", "P", "RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "PPM": ("1", "L", "RGB"),
}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "JPEG2000": [{"no_jp2": True}, {"tile_size": (256, 256)}, {"irreversible": True, "quality_layers": [20]}],
    "WEBP": [{"lossless": True}],
    "GIF": [{"interlace": 1}, {"transparency": 255}],
    "TIFF": [{"compression": "raw"}, {"compression": "jpeg"}, {"compression": "tiff_lzw"}, {"tiffinfo": {262: 0}}],
    "PNG": [{"bits": 2}, {"bits": 4}],
    "JPEG": [{"progressive": True}, {"quality": 95, "subsampling": 0}],
}
FORMATS = {
    "JPEG2000": "jpeg2000",
    "WEBP": "webp",
    "GIF": "gif",
    "BMP": "bmp",
    "PPM": "pnm",
    "TIFF": "tiff",
    "PNG": "png",
    "JPEG": "jpeg",
}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_every_format_is_read_in_every_mode(tmp_path: Path, kind: str, mode: str) -> None:
    image = text_image()
    image = image.point(lambda sample: sample * 257, "I").convert("I;16") if mode == "I;16" else image.convert(mode)
    (tmp_path / "a").write_bytes(make.encoded(image, kind))
    assert probe(tmp_path / "a").format == FORMATS[kind]
    result = only(tmp_path / "a")
    assert (result.text, result.width, result.height, result.notes) == (PANGRAM, 1600, 300, ())


@pytest.mark.parametrize(("kind", "options"), [(kind, each) for kind, options in OPTIONS.items() for each in options])
def test_every_format_is_read_in_every_encoding(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    mode = "P" if "bits" in options else "RGB" if kind == "WEBP" else "L"
    (tmp_path / "a").write_bytes(make.encoded(text_image(mode=mode), kind, **options))
    assert only(tmp_path / "a").text == PANGRAM


@pytest.mark.parametrize("color", ["gray", "rgb"])
@pytest.mark.parametrize(
    ("kind", "mode"),
    [(kind, mode) for kind in ("PNG", "WEBP", "JPEG2000", "TIFF") for mode in ("RGBA", "LA")] + [("GIF", "RGBA")],
)
def test_transparency_is_blended_onto_white(tmp_path: Path, kind: str, mode: str, color: Any) -> None:
    (tmp_path / "a").write_bytes(make.encoded(make.transparent(mode), kind))
    assert only(tmp_path / "a", IGNORE.model_copy(update={"render": RenderOptions(color=color)})).text == PANGRAM


def test_transparent_16_bit_gray_becomes_white(tmp_path: Path) -> None:
    image = text_image().point(lambda sample: 40_000 if sample < 128 else 0, "I").convert("I;16")
    (tmp_path / "a").write_bytes(make.encoded(image, "PNG", transparency=0))
    with Image.open(tmp_path / "a") as written:
        assert (written.mode, written.info["transparency"]) == ("I;16", 0)
    assert only(tmp_path / "a").text == PANGRAM


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_the_exif_orientation_is_applied(tmp_path: Path, kind: str, orientation: int) -> None:
    result = only(make.turned(tmp_path / "a", kind, orientation))
    assert (result.text, result.width, result.height) == (PANGRAM, 1600, 300)


@pytest.mark.parametrize("adobe", [True, False])
def test_a_cmyk_jpeg_is_read_with_and_without_adobe_s_inversion(tmp_path: Path, adobe: bool) -> None:
    path = make.cmyk_jpeg(tmp_path / "a", adobe=adobe)
    assert (b"Adobe" in path.read_bytes()) is adobe
    assert only(path).text == PANGRAM


def test_a_lab_tiff_is_read(tmp_path: Path) -> None:
    gray = Image.new("L", (1600, 300), 128)
    (tmp_path / "a").write_bytes(make.encoded(Image.merge("LAB", (text_image(), gray, gray)), "TIFF"))
    assert only(tmp_path / "a").text == PANGRAM


@pytest.mark.parametrize(
    ("kind", "deep"), [*((kind, False) for kind in range(1, 7)), *((n, True) for n in (2, 3, 5, 6))]
)
def test_pnm_pictures_of_every_kind_and_depth_are_read(tmp_path: Path, kind: int, deep: bool) -> None:
    (tmp_path / "a").write_bytes(make.pnm(kind, deep=deep and kind not in (1, 4)))  # a bitmap has no depth
    assert only(tmp_path / "a").text == PANGRAM


def test_a_run_length_bmp_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(make.rle_bmp())
    assert only(tmp_path / "a").text == PANGRAM


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_the_first_frame_is_read_and_a_note_counts_the_frames(tmp_path: Path, kind: str) -> None:
    path = make.animation(tmp_path / "a", kind, frames=4)
    assert probe(path).notes == ("first of 4 frames",)
    for sandboxed in (True, False):
        (result,) = read_document(path, IGNORE, sandboxed=sandboxed)
        assert (result.text, result.total_pages, result.notes) == (PANGRAM, 1, ("first of 4 frames",))


def test_the_first_of_several_pnm_pictures_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(make.pnm(5) + make.pnm(4, "Second") + make.pnm(6, "Third", deep=True))
    result = only(tmp_path / "a")
    assert (result.text, result.notes) == (PANGRAM, ("first of 3 frames",))


def test_a_failed_page_keeps_its_notes(tmp_path: Path) -> None:
    path = make.animation(tmp_path / "a", "GIF")
    result = only(path, PipelineOptions(render=RenderOptions(max_pixels=10_000)))
    assert result.failure is not None
    assert (result.failure.kind, result.notes) == (FailureKind.LIMIT, ("first of 3 frames",))


@pytest.mark.parametrize("encoding", list(make.ENCODERS))
def test_pictures_in_a_pdf_are_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    assert only(make.picture_pdf(tmp_path / "a.pdf", encoding)).text == PANGRAM


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_rotated_pdf_pages_are_read_upright(tmp_path: Path, rotate: int) -> None:
    scan = only(make.picture_pdf(tmp_path / "a.pdf", "DCTDecode", rotate=rotate))
    assert (scan.text, scan.width, scan.height) == (PANGRAM, 2400, 450)
    digital = only(born_digital_pdf(tmp_path / "b.pdf", [PANGRAM], rotate=rotate), PipelineOptions())
    assert (digital.text, digital.engine) == (PANGRAM, "text_layer")


@pytest.mark.parametrize("encoding", ["DCTDecode", "JPXDecode", "JBIG2Decode", "RunLengthDecode", "FlateDecode"])
def test_a_pdf_page_whose_only_picture_is_broken_is_corrupt(tmp_path: Path, encoding: str) -> None:
    failure = only(make.picture_pdf(tmp_path / "a.pdf", encoding, cut=0)).failure
    assert failure is not None
    assert failure.kind is FailureKind.CORRUPT


def test_a_page_rendered_at_a_lower_resolution_has_a_note(tmp_path: Path) -> None:
    small = PipelineOptions(render=RenderOptions(max_pixels=4_000_000))
    for mode in ("prefer", "ignore"):
        options = small.model_copy(update={"text_layer": TextLayerOptions(mode=mode)})
        result = only(born_digital_pdf(tmp_path / "a.pdf", [PANGRAM]), options)
        assert (result.resolution, result.notes) == (206, ("rendered at 206 dpi to fit max_pixels",))
        assert result.text == PANGRAM


CUT: list[tuple[str, Callable[[Image.Image], bytes]]] = [
    *((kind, lambda image, kind=kind: make.encoded(image, kind)) for kind in ("JPEG2000", "WEBP", "GIF", "BMP", "PPM")),
    ("raw JPEG 2000", lambda image: make.encoded(image, "JPEG2000", no_jp2=True)),
    ("animated GIF", lambda image: make.encoded(image, "GIF", save_all=True, append_images=[image.rotate(180)])),
]


@pytest.mark.parametrize(("name", "encode"), CUT, ids=[name for name, _ in CUT])
@pytest.mark.parametrize("share", [0.005, 0.3, 0.49])
def test_a_truncated_picture_is_corrupt(
    tmp_path: Path, name: str, encode: Callable[[Image.Image], bytes], share: float
) -> None:
    whole = encode(Image.effect_noise((600, 400), 90).convert("RGB"))
    (tmp_path / "a").write_bytes(whole[: int(len(whole) * share)])
    failure = only(tmp_path / "a").failure
    assert failure is not None
    assert failure.kind is FailureKind.CORRUPT


def test_a_pdf_with_only_an_owner_password_is_read(tmp_path: Path) -> None:
    with pikepdf.open(born_digital_pdf(tmp_path / "a.pdf", [PANGRAM])) as pdf:
        pdf.save(tmp_path / "b.pdf", encryption=pikepdf.Encryption(owner="owner", user=""))
    assert only(tmp_path / "b.pdf", PipelineOptions()).text == PANGRAM

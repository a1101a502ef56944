"""The pixel budget is checked against the image header before any decoder allocates memory."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inkstream import DocumentError, FailureKind, LimitOptions, PageWorker
from inkstream.ocr_core.documents.image_headers import Header, read_header
from tests import picture_generators as make
from tests.generators import text_image

SIDE = 16_000
"""16,000 x 16,000 pixels are 256 million: a gigabyte in most decoders, and allowed by every format."""


def lying_jp2(container: int, codestream: int) -> bytes:
    """Return a JPEG 2000 file with one size in its container and another in its codestream."""
    data = bytearray(make.encoded(Image.new("L", (64, 64)), "JPEG2000"))
    header, stream = data.index(b"ihdr") + 4, data.index(b"\xff\x4f\xff\x51") + 8
    data[header : header + 8] = struct.pack(">II", container, container)
    data[stream : stream + 8] = struct.pack(">II", codestream, codestream)
    return bytes(data)


def huge_tiff(side: int) -> bytes:
    """Return a TIFF that claims `side` x `side` pixels in one strip."""
    data = bytearray(make.encoded(Image.new("L", (64, 64)), "TIFF", compression="tiff_deflate"))
    for tag in (256, 257):
        place = data.index(struct.pack("<HH", tag, 3) + b"\1\0\0\0")
        data[place : place + 12] = struct.pack("<HHII", tag, 4, 1, side)
    return bytes(data)


def huge_webp(side: int) -> bytes:
    """Return an animation on a canvas of `side` x `side` pixels."""
    frames = [Image.new("RGB", (64, 64), color) for color in ("white", "black")]
    data = bytearray(make.encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    assert data[12:16] == b"VP8X"
    data[24:30] = (side - 1).to_bytes(3, "little") * 2
    return bytes(data)


def huge_gif(side: int) -> bytes:
    data = bytearray(make.encoded(Image.new("L", (64, 64)), "GIF"))
    data[6:10] = struct.pack("<HH", side, side)
    return bytes(data)


def huge_bmp(side: int) -> bytes:
    data = bytearray(make.encoded(Image.new("RGB", (64, 64)), "BMP"))
    data[18:26] = struct.pack("<ii", side, side)
    return bytes(data)


HUGE = {
    "a container": lying_jp2(SIDE, 64),
    "a codestream": lying_jp2(64, SIDE),
    "a tiff": huge_tiff(SIDE),
    "a webp": huge_webp(SIDE),
    "a gif": huge_gif(SIDE),
    "a bmp": huge_bmp(SIDE),
    "a pnm": b"P6 %d %d 255\n" % (SIDE, SIDE) + bytes(100),
}


@pytest.fixture(scope="module")
def worker() -> Iterator[PageWorker]:
    with PageWorker(limits=LimitOptions(memory_mb=64)) as opened:
        yield opened


@pytest.mark.parametrize("name", list(HUGE))
def test_too_many_pixels_hit_the_limit_without_using_memory(worker: PageWorker, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(HUGE[name])
    assert worker.probe(path).pages == 1
    failure = worker.page(path, 0, 1).failure
    assert failure is not None
    assert failure.kind is FailureKind.LIMIT, failure
    assert "max_pixels" in failure.message


def test_a_gif_frame_larger_than_its_screen_counts(tmp_path: Path) -> None:
    data = bytearray(huge_gif(64))
    place = data.index(b",\0\0\0\0")
    data[place + 5 : place + 9] = struct.pack("<HH", 40_000, 40_000)
    (tmp_path / "a").write_bytes(data)
    assert read_header(tmp_path / "a", "gif") == Header(40_000, 40_000)


@pytest.mark.parametrize(
    ("kind", "options", "name"),
    [
        ("GIF", {}, "gif"),
        ("WEBP", {}, "webp"),
        ("WEBP", {"lossless": True}, "webp"),
        ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}, "webp"),
        ("JPEG2000", {}, "jpeg2000"),
        ("JPEG2000", {"no_jp2": True, "tile_size": (64, 64)}, "jpeg2000"),
        ("PPM", {}, "pnm"),
    ],
)
def test_header_sizes_match_those_of_pillow(tmp_path: Path, kind: str, options: dict[str, object], name: str) -> None:
    (tmp_path / "a").write_bytes(make.encoded(text_image(size=(123, 45), mode="RGB"), kind, **options))
    with Image.open(tmp_path / "a") as image:
        assert read_header(tmp_path / "a", name) == Header(*image.size)


def test_a_header_with_thousands_of_channels_is_unsupported(tmp_path: Path) -> None:
    data = bytearray(make.encoded(Image.new("L", (64, 64)), "JPEG2000", no_jp2=True))
    data[40:42] = struct.pack(">H", 16_384)
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(DocumentError, match="16384 channels") as caught:
        read_header(tmp_path / "a", "jpeg2000")
    assert caught.value.kind is FailureKind.UNSUPPORTED


WHOLE = {
    "gif": make.encoded(Image.new("L", (9, 9)), "GIF", save_all=True, append_images=[Image.new("L", (9, 9), 5)]),
    "webp": huge_webp(64),
    "jpeg2000": lying_jp2(64, 64),
    "pnm": make.pnm(5)[:200],
}


@given(kind=st.sampled_from(list(WHOLE)), data=st.data())
def test_a_damaged_header_is_read_or_raises_a_document_error(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    damaged = bytearray(WHOLE[kind])
    for place, value in data.draw(st.dictionaries(st.integers(0, 119), st.integers(0, 255), max_size=4)).items():
        damaged[place % len(damaged)] = value
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(damaged[: data.draw(st.integers(1, len(damaged)))])
    try:
        header = read_header(path, kind)
    except DocumentError:
        return
    assert header is not None
    assert header.frames >= 1

"""Generates pictures of known text in every format, and PDF pages of one picture in every encoding of PDF."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from tests.generators import INVERSE, PANGRAM, pdf_of, text_image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture in a format, named as in Pillow."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def turned(path: Path, kind: str, orientation: int, text: str = PANGRAM) -> Path:
    """Write a picture that is stored turned, with an EXIF orientation that turns it back."""
    image = text_image(text, mode="RGB")
    inverse = INVERSE[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.write_bytes(encoded(image if inverse is None else image.transpose(inverse), kind, exif=exif))
    return path


def transparent(mode: str, text: str = PANGRAM) -> Image.Image:
    """Return a black picture with the text only in its alpha channel. `mode` is `RGBA` or `LA`."""
    picture = Image.new(mode.removesuffix("A"), (1600, 300))
    picture.putalpha(ImageOps.invert(text_image(text)))
    return picture


def animation(path: Path, kind: str, first: str = PANGRAM, *, frames: int = 3) -> Path:
    """Write an animation: the text, then frames of other text."""
    pictures = [text_image(text, mode="RGB") for text in (first, *(f"Frame {n}" for n in range(2, frames + 1)))]
    path.write_bytes(encoded(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=100))
    return path


def cmyk_jpeg(path: Path, *, adobe: bool, text: str = PANGRAM) -> Path:
    """Write a CMYK JPEG: like Photoshop, inverted and with an Adobe marker, or with neither."""
    image = text_image(text, mode="RGB").convert("CMYK")
    if adobe:
        path.write_bytes(encoded(image, "JPEG"))
        return path
    data = encoded(Image.merge("CMYK", [ImageOps.invert(band) for band in image.split()]), "JPEG")
    start = data.index(b"\xff\xee")
    path.write_bytes(data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :])
    return path


def pnm(kind: int, text: str = PANGRAM, *, deep: bool = False) -> bytes:
    """Return a PNM of kind 1 to 6; `deep` samples have 16 bits."""
    mode = {0: "RGB", 1: "1", 2: "L"}[kind % 3]
    image = text_image(text, mode=mode)
    if kind in (1, 4):
        image = ImageOps.invert(image.convert("L")).convert("1")  # 1 is black
    raw = image.tobytes()
    if kind == 1:
        raw = b"\n".join(b"%d" % int(bit) for byte in raw for bit in f"{byte:08b}")
    elif kind < 4:
        raw = b"\n".join(b"%d" % (sample * 257 if deep else sample) for sample in raw)
    elif deep:
        raw = bytes(byte for sample in raw for byte in (sample, sample))
    depth = b"" if kind in (1, 4) else b"\n65535" if deep else b"\n255"
    return b"P%d\n# made here\n%d %d%s\n" % (kind, *image.size, depth) + raw


def rle_bmp(text: str = PANGRAM) -> bytes:
    """Return a run-length encoded BMP with a gray palette."""
    image = text_image(text).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    body = bytearray()
    for start in range(0, image.width * image.height, image.width):
        row = image.tobytes()[start : start + image.width]
        for place in range(0, len(row), 250):
            part = row[place : place + 250]
            if len(set(part)) == 1:
                body += bytes((len(part), part[0]))
            else:
                body += b"".join(bytes((1, value)) for value in part)
        body += b"\0\0"
    body += b"\0\1"
    palette = b"".join(bytes((gray, gray, gray, 0)) for gray in range(256))
    header = struct.pack("<IiiHHIIiiII", 40, *image.size, 1, 8, 1, len(body), 2835, 2835, 256, 0)
    start = 14 + len(header) + len(palette)
    return struct.pack("<2sIII", b"BM", start + len(body), 0, start) + header + palette + body


def group4(image: Image.Image) -> bytes:
    """Return the CCITT T.6 code of a picture, as one strip."""
    data = encoded(image.convert("1"), "TIFF", compression="group4", tiffinfo={278: image.height})
    with Image.open(io.BytesIO(data)) as picture:
        (offset,), (length,) = picture.tag_v2[273], picture.tag_v2[279]  # type: ignore[attr-defined]
    return data[offset : offset + length]


def jbig2(image: Image.Image) -> bytes:
    """Return a JBIG2 stream as a PDF embeds it: a page, and one generic region in T.6 code (MMR)."""
    page = struct.pack(">IIIIBH", *image.size, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", *image.size, 0, 0, 0, 1) + group4(ImageOps.invert(image.convert("L")))
    return _segment(0, 48, page) + _segment(1, 38, region)


def _segment(number: int, kind: int, data: bytes) -> bytes:
    return struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data


def lzw(data: bytes) -> bytes:
    """Encode data with LZW in the simplest way: only literals, and a clear code before codes exceed 9 bits."""
    codes = [code for start in range(0, len(data), 200) for code in (256, *data[start : start + 200])]
    bits = "".join(f"{code:09b}" for code in (*codes, 257))
    return int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")


def run_length(data: bytes) -> bytes:
    """Encode data for RunLengthDecode in the simplest way: literal runs."""
    parts = [data[start : start + 128] for start in range(0, len(data), 128)]
    return b"".join(bytes((len(part) - 1,)) + part for part in parts) + b"\x80"


def _one_bit(image: Image.Image) -> bytes:
    return image.convert("1").tobytes()


ENCODERS: dict[str, tuple[str, Callable[[Image.Image], bytes]]] = {
    "DCTDecode": ("/ColorSpace /DeviceGray /BitsPerComponent 8", lambda i: encoded(i, "JPEG")),
    "JPXDecode": ("", lambda i: encoded(i, "JPEG2000")),
    "CCITTFaxDecode": (
        "/ColorSpace /DeviceGray /BitsPerComponent 1 /DecodeParms << /K -1 /Columns {0} /Rows {1} >>",
        group4,
    ),
    "JBIG2Decode": ("/ColorSpace /DeviceGray /BitsPerComponent 1", jbig2),
    "FlateDecode": ("/ColorSpace /DeviceGray /BitsPerComponent 1", lambda i: zlib.compress(_one_bit(i))),
    "LZWDecode": ("/ColorSpace /DeviceGray /BitsPerComponent 1", lambda i: lzw(_one_bit(i))),
    "RunLengthDecode": ("/ColorSpace /DeviceGray /BitsPerComponent 1", lambda i: run_length(_one_bit(i))),
}


def picture_pdf(path: Path, encoding: str, text: str = PANGRAM, *, rotate: int = 0, cut: float = 1.0) -> Path:
    """Write a PDF page that is one picture, in one of the encodings of `ENCODERS`.

    Args:
        path: Where to write it.
        encoding: The stream's filter.
        text: The text in the picture.
        rotate: The page's /Rotate in degrees; the picture is stored turned against it.
        cut: Share of the encoded picture that is written.
    """
    image = text_image(text).rotate(rotate, expand=True)
    entries, encode = ENCODERS[encoding]
    data = encode(image)
    data = data[: int(len(data) * cut)]
    width, height = (side * 72 / 200 for side in image.size)
    content = f"{width} 0 0 {height} 0 0 cm /Im1 Do".encode()
    pixels = (
        f"<< /Type /XObject /Subtype /Image /Width {image.width} /Height {image.height} /Filter /{encoding} "
        f"{entries.format(*image.size)} /Length {len(data)} >>\nstream\n"
    )
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Rotate {rotate} /Contents 4 0 R "
        "/Resources << /XObject << /Im1 5 0 R >> >> >>"
    )
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        page.encode(),
        b"<< /Length %d >>\nstream\n" % len(content) + content + b"\nendstream",
        pixels.encode() + data + b"\nendstream",
    ]
    path.write_bytes(pdf_of(objects))
    return path

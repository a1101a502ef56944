"""Generates test documents: pictures of text in every encoding, PDFs with and without a text layer."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

PANGRAM = "The quick brown fox jumps over the lazy dog"
INVERSE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How to turn a picture before it is stored, by the EXIF orientation that turns it back."""


def text_image(
    text: str = PANGRAM, size: tuple[int, int] = (1600, 300), font_size: int = 60, mode: str = "L"
) -> Image.Image:
    """Return black text on white; `size` in pixels."""
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).multiline_text((60, 60), text, font=ImageFont.load_default(size=font_size), fill=0)
    return image.convert(mode)


def page_image(lines: list[str], *, dpi: int = 150) -> Image.Image:
    """Return a letter page of lines in 14 pt type."""
    image = Image.new("L", (round(8.5 * dpi), 11 * dpi), 255)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=14 / 72 * dpi)
    for number, line in enumerate(lines):
        draw.text((dpi, dpi + number * 24 / 72 * dpi), line, font=font, fill=0)
    return image


def scanned_pdf(path: Path, pages: list[str], *, dpi: int = 150) -> Path:
    """Write a PDF of pictures of text, like a scanner's."""
    images = [page_image(text.split("\n"), dpi=dpi) for text in pages]
    images[0].save(path, "PDF", resolution=dpi, save_all=True, append_images=images[1:])
    return path


def born_digital_pdf(
    path: Path, pages: list[str], *, rotate: int = 0, to_unicode: str | None = None, count: int | None = None
) -> Path:
    """Write a PDF of real text in Helvetica, letter pages, lines from the top; `rotate` in degrees.

    `to_unicode` is the code point, in four hex digits, that the fonts claim for each of their characters; `count` is
    the number of pages that the file claims to have.
    """
    cmap = None if to_unicode is None else _cmap(to_unicode)
    objects: list[bytes] = []
    kids = " ".join(f"{4 + 2 * number + (cmap is not None)} 0 R" for number in range(len(pages)))
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages) if count is None else count} >>".encode())
    extra = b"" if cmap is None else b" /ToUnicode 4 0 R"
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica" + extra + b" >>")
    if cmap is not None:
        objects.append(_stream(cmap))
    for text in pages:
        contents = len(objects) + 2
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Rotate {rotate} /Contents {contents} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        shown = [f"({line.replace('(', '').replace(')', '')}) Tj T*" for line in text.split("\n")]
        objects.append(_stream(f"BT /F1 14 Tf 20 TL 72 700 Td {' '.join(shown)} ET".encode("latin-1")))
    path.write_bytes(pdf_of(objects))
    return path


def pdf_of(objects: list[bytes]) -> bytes:
    """Join PDF objects, numbered from 1 (the catalog), and add a cross-reference table."""
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{offset:010d} 00000 n \n".encode() for offset in offsets)
    out += f"trailer << /Root 1 0 R /Size {len(objects) + 1} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def big_page_pdf(path: Path, side: int) -> Path:
    """Write one blank page of `side` x `side` points."""
    page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {side} {side}] >>".encode()
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    path.write_bytes(pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page]))
    return path


def flate_bomb_pdf(path: Path, megabytes: int) -> Path:
    """Write a page whose content stream unpacks to `megabytes` MiB of spaces."""
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(megabytes)) + packer.flush()
    twice = zlib.compress(once, 9)
    stream = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n" % len(twice) + twice + b"\nendstream"
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    path.write_bytes(pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, stream]))
    return path


def endless_pattern_pdf(path: Path) -> Path:
    """Write a page filled with a tiling pattern of tiny steps: it takes PDFium hours and little memory."""
    tile = _stream(
        b"0 0 1 1 re f",
        b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1000 1000] "
        b"/XStep 0.001 /YStep 0.001 /Resources << >>",
    )
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Pattern << /P1 5 0 R >> >> >>"
    )
    paint = _stream(b"/Pattern cs /P1 scn 0 0 612 792 re f")
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    path.write_bytes(pdf_of([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, paint, tile]))
    return path


def alpha_png(path: Path, text: str = PANGRAM) -> Path:
    """Write a black picture with the text only in its alpha channel."""
    black = Image.new("RGB", (1600, 300))
    black.putalpha(ImageOps.invert(text_image(text)))
    black.save(path)
    return path


def deep_gray(path: Path, text: str = PANGRAM, *, bits: int = 16) -> Path:
    """Write a picture of 16-bit samples that use `bits` bits."""
    samples = np.asarray(text_image(text)).astype(np.uint16) * ((1 << bits) - 1) // 255
    Image.fromarray(samples.astype(np.uint16)).save(path)
    return path


def exif_jpeg(path: Path, orientation: int, text: str = PANGRAM) -> Path:
    """Write a JPEG that is stored turned, with an EXIF orientation that turns it back."""
    inverse = INVERSE[orientation]
    image = text_image(text)
    stored = image if inverse is None else image.transpose(inverse)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(path, "JPEG", exif=exif, quality=90)
    return path


def tiff(path: Path, texts: list[str], **options: Any) -> Path:
    """Write a TIFF with one frame per text; `options` go to Pillow's writer (`compression`, `dpi`, `big_tiff`)."""
    mode = "1" if str(options.get("compression", "")).startswith("group") else "L"
    frames = [text_image(text, mode=mode) for text in texts]
    frames[0].save(path, "TIFF", save_all=True, append_images=frames[1:], **options)
    return path


def huge_png(path: Path, side: int) -> Path:
    """Write a PNG whose header claims `side` x `side` pixels, with almost no data behind it."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks:
        data += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    path.write_bytes(data)
    return path


def _stream(body: bytes, entries: bytes = b"") -> bytes:
    return b"<< " + entries + b" /Length %d >>\nstream\n" % len(body) + body + b"\nendstream"


def _cmap(code_point: str) -> bytes:
    return (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 95 beginbfchar "
        + b" ".join(f"<{code:02x}> <{code_point}>".encode() for code in range(0x20, 0x7F))
        + b" endbfchar endcmap end end"
    )

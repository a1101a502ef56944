"""Generates small PDF pages whose text layer and picture differ in a chosen way."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.generators import pdf_of

WIDTH, HEIGHT = 420, 220
"""Points."""


def layered_pdf(
    path: Path,
    content: str,
    *,
    characters: Mapping[int, int] | None = None,
    picture: Image.Image | None = None,
    hidden_content: str = "",
    rotate: int = 0,
) -> Path:
    """Write a PDF of one page.

    Args:
        path: The file.
        content: What the page draws, with the fonts /F1 (Helvetica) and /F2 (Times-Roman) and the picture /Im.
        characters: Code points that the map of the font /F1 states for its codes 0x20 to 0x7E, where they differ.
        picture: Gray picture.
        hidden_content: What it draws in a layer that is switched off.
        rotate: Degrees.
    """
    shown = content.encode("latin-1") + b" /OC /Off BDC " + hidden_content.encode("latin-1") + b" EMC"
    page = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Rotate {rotate} /Contents 4 0 R /Resources << "
        "/Font << /F1 5 0 R /F2 6 0 R >> /XObject << /Im 8 0 R >> /Properties << /Off 9 0 R >> >> >>"
    )
    pixels = np.asarray(picture if picture is not None else Image.new("L", (1, 1), 255))
    size = f"/Width {pixels.shape[1]} /Height {pixels.shape[0]}"
    image = f"/Type /XObject /Subtype /Image {size} /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
    path.write_bytes(
        pdf_of(
            [
                b"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [9 0 R] /D << /OFF [9 0 R] >> >> >>",
                b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
                page.encode(),
                _stream(shown),
                b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>",
                b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman >>",
                _stream(_map(characters or {})),
                _stream(zlib.compress(pixels.tobytes()), image),
                b"<< /Type /OCG /Name (Off) >>",
            ]
        )
    )
    return path


def lines(*texts: str, font: str = "F1", size: int = 14, top: int = 190, left: int = 20, mode: int = 0) -> str:
    """Return content that shows lines of text; `mode` is the PDF's text rendering mode."""
    shown = " ".join(f"({text}) Tj T*" for text in texts)
    return f"BT {mode} Tr /{font} {size} Tf {2 * size} TL {left} {top} Td {shown} ET "


def picture_of(*texts: str, scale: int = 4) -> Image.Image:
    """Return a picture of the whole page with lines of text, as a scanner makes it, at 72 x `scale` dpi."""
    image = Image.new("L", (WIDTH * scale, HEIGHT * scale), 255)
    font = ImageFont.load_default(size=14 * scale)
    for number, text in enumerate(texts):
        ImageDraw.Draw(image).text((20 * scale, (20 + 28 * number) * scale), text, font=font, fill=0)
    return image


WHOLE_PAGE = f"q {WIDTH} 0 0 {HEIGHT} 0 0 cm /Im Do Q "
"""Content that draws the picture over the whole page."""


def _map(characters: Mapping[int, int]) -> bytes:
    codes = [f"<{code:02x}> <{characters.get(code, code):04x}>".encode() for code in range(0x20, 0x7F)]
    return (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def "
        b"1 begincodespacerange <00> <FF> endcodespacerange 95 beginbfchar "
        + b" ".join(codes)
        + b" endbfchar endcmap end end"
    )


def _stream(body: bytes, entries: str = "") -> bytes:
    return b"<< " + entries.encode() + b" /Length %d >>\nstream\n" % len(body) + body + b"\nendstream"

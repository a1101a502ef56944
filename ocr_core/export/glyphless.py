"""A font without glyphs: it draws nothing, and lets readers find, select and copy any Unicode text.

The method is that of Tesseract's PDF renderer and its GlyphLessFont (Apache-2.0,
https://github.com/tesseract-ocr/tesseract/blob/main/src/api/pdfrenderer.cpp), which OCRmyPDF also uses: a
composite font whose characters all show one empty glyph, with a ToUnicode map. Tesseract numbers characters by UTF-16
unit; here each cluster of a letter and its marks gets the next number when it is first used, so that characters
outside the basic plane and letters with combining marks stay whole. PDF: ISO 32000-1, 9.7 and 9.10.3; the font
program: OpenType 1.9, tables `head` to `maxp`.
"""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator

import pikepdf

ADVANCE = 0.5
"""Width of every character, in font sizes."""

_UNITS = 1000
_MOST_CODES = 0xFFFE
_CHUNK = 100
"""Most entries of one `bfchar` section."""

_CMAP = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def /CMapType 2 def
1 begincodespacerange <0000> <FFFF> endcodespacerange
{entries}endcmap CMapName currentdict /CMap defineresource pop end end
"""


class GlyphlessFont:
    """The font of one PDF, and the characters used from it."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def encode(self, clusters: list[str]) -> str:
        """Return the hexadecimal string that shows these clusters.

        In a document with more than 65,534 different clusters, the rest show as the replacement character.
        """
        return "".join(f"{self._code(cluster):04X}" for cluster in clusters)

    def _code(self, cluster: str) -> int:
        if cluster not in self._codes and len(self._codes) >= _MOST_CODES:
            cluster = "\ufffd"
        return self._codes.setdefault(cluster, len(self._codes) + 1)

    def add_to(self, pdf: pikepdf.Pdf) -> pikepdf.Object:
        """Add the font to a PDF and return a reference to it. Characters can be encoded until `finish`."""
        return pdf.make_indirect(pikepdf.Dictionary())

    def finish(self, pdf: pikepdf.Pdf, font: pikepdf.Object) -> None:
        """Fill in the object that `add_to` returned."""
        name, system = pikepdf.Name.GlyphLessFont, {"/Registry": b"Adobe", "/Ordering": b"Identity", "/Supplement": 0}
        program = pdf.make_stream(_font_program())
        descriptor = pikepdf.Dictionary(
            Type=pikepdf.Name.FontDescriptor,
            FontName=name,
            Flags=5,  # fixed pitch, symbolic
            FontBBox=[0, 0, int(_UNITS * ADVANCE), _UNITS],
            ItalicAngle=0,
            Ascent=_UNITS,
            Descent=-1,
            CapHeight=_UNITS,
            StemV=80,
            FontFile2=pdf.make_indirect(program),
        )
        descendant = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.CIDFontType2,
            BaseFont=name,
            CIDSystemInfo=pikepdf.Dictionary(system),
            CIDToGIDMap=pdf.make_stream(b"\0\0" + b"\0\1" * len(self._codes)),
            DW=int(_UNITS * ADVANCE),
            FontDescriptor=pdf.make_indirect(descriptor),
        )
        font.Type, font.Subtype, font.BaseFont = pikepdf.Name.Font, pikepdf.Name.Type0, name
        font.Encoding = pikepdf.Name("/Identity-H")
        font.DescendantFonts = pikepdf.Array([pdf.make_indirect(descendant)])
        font.ToUnicode = pdf.make_stream(_CMAP.format(entries="".join(self._sections())).encode())

    def _sections(self) -> Iterator[str]:
        codes = list(self._codes.items())
        for first in range(0, len(codes), _CHUNK):
            part = codes[first : first + _CHUNK]
            lines = (f"<{code:04X}> <{cluster.encode('utf-16-be').hex().upper()}>\n" for cluster, code in part)
            yield f"{len(part)} beginbfchar\n{''.join(lines)}endbfchar\n"


def clusters_of(text: str) -> list[str]:
    """Split text into letters with their marks, in the order in which PDF readers expect them on the page.

    PDF readers take characters in visual order and reverse right-to-left runs when they extract text, so such runs are
    reversed here. Numbers inside keep their order. This is not the whole of Unicode's bidirectional algorithm, but it
    is enough for a word.
    """
    clusters: list[str] = []
    for character in text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"):
        if clusters and (unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Mc")):
            clusters[-1] += character
        elif unicodedata.category(character) != "Cc":
            clusters.append(character)
    if any(map(_is_right_to_left, clusters)):
        clusters = _visual(clusters)
    return clusters


def _is_right_to_left(cluster: str) -> bool:
    return unicodedata.bidirectional(cluster[0]) in ("R", "AL")


def _visual(clusters: list[str]) -> list[str]:
    """Return the clusters of a word in reverse order, except for left-to-right runs inside it."""
    turned: list[str] = []
    run: list[str] = []
    for cluster in reversed(clusters):
        if unicodedata.bidirectional(cluster[0]) in ("L", "EN", "AN"):
            run.insert(0, cluster)
            continue
        turned += [*run, cluster]
        run = []
    return turned + run


def _font_program() -> bytes:
    """Return the smallest TrueType font that readers accept: an empty glyph, and the glyph that is used.

    The used glyph is a contour from the lower left to the upper right corner and back. It has no area, so a reader that
    paints it shows nothing; but it has extents, from which PDFium computes where a character is.
    """
    advance = int(_UNITS * ADVANCE)
    outline = struct.pack(">5hHH3B", 1, 0, 0, advance, _UNITS, 2, 0, 1, 1, 1)
    outline += struct.pack(">6h", 0, advance, -advance, 0, _UNITS, -_UNITS) + b"\0"
    tables = {
        b"glyf": outline,
        b"head": struct.pack(
            ">IIIIHHqqhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 3, _UNITS, 0, 0, 0, 0, advance, _UNITS, 0, 3, 0, 1, 0
        ),
        b"hhea": struct.pack(">IhhhHhhhhhh4hhH", 0x10000, _UNITS, -1, 0, advance, *[0] * 6, *[0] * 4, 0, 1),
        b"hmtx": struct.pack(">Hhh", advance, 0, 0),
        b"loca": struct.pack(">III", 0, 0, len(outline)),
        b"maxp": struct.pack(">IH13H", 0x10000, 2, 3, 1, 0, 0, 1, *[0] * 8),
    }
    offset = 12 + 16 * len(tables)
    directory, body = struct.pack(">IHHHH", 0x10000, len(tables), 64, 2, len(tables) * 16 - 64), b""
    for tag, data in sorted(tables.items()):
        padded = data + b"\0" * (-len(data) % 4)
        directory += struct.pack(">4sIII", tag, _checksum(padded), offset + len(body), len(data))
        body += padded
    font = bytearray(directory + body)
    head = offset + sum(len(tables[tag]) + -len(tables[tag]) % 4 for tag in sorted(tables) if tag < b"head")
    font[head + 8 : head + 12] = struct.pack(">I", (0xB1B0AFBA - _checksum(bytes(font))) % 2**32)
    return bytes(font)


def _checksum(data: bytes) -> int:
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(words) % 2**32

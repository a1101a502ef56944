"""Paper for made documents: a sheet to write on, what a scanner makes of it, and PDF files around it.

Drawn with nothing but Pillow, its built-in font and numpy. The noise is seeded: equal calls, equal bytes.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

A4_MM = (210.0, 297.0)
_POINTS_PER_MM = 72 / 25.4


class Sheet:
    """A gray page to write on, measured in millimetres and points.

    Args:
        dpi: Pixels an inch.
        size_mm: Width and height.
        paper: Gray level of the paper.
    """

    def __init__(self, dpi: int, size_mm: tuple[float, float] = A4_MM, paper: int = 246) -> None:
        from PIL import Image, ImageDraw

        self.dpi = dpi
        self.image: Image.Image = Image.new("L", (self.px(size_mm[0]), self.px(size_mm[1])), paper)
        self._draw = ImageDraw.Draw(self.image)
        self._fonts: dict[float, Any] = {}

    def px(self, mm: float) -> int:
        """Returns millimetres as whole pixels."""
        return round(mm / 25.4 * self.dpi)

    def text(  # noqa: PLR0913 - a line of text has a place, a size and a look
        self,
        x: float,
        y: float,
        text: str,
        points: float = 10,
        *,
        bold: bool = False,
        right: bool = False,
        ink: int = 38,
    ) -> None:
        """Writes one line; (x, y) in mm is the left (or right) end of its baseline."""
        stroke = points * self.dpi / 72 / 45 if bold else 0
        anchor = "rs" if right else "ls"
        self._draw.text(
            (self.px(x), self.px(y)),
            text,
            fill=ink,
            font=self._font(points),
            anchor=anchor,
            stroke_width=stroke,
        )

    def paragraph(self, x: float, y: float, width: float, text: str, points: float = 10) -> float:
        """Writes a paragraph, broken at `width` mm; returns the baseline after it, in mm."""
        line = ""
        for word in [*text.split(), None]:
            longer = f"{line} {word}".strip()
            if word is None or self._font(points).getlength(longer) > self.px(width):
                self.text(x, y, line, points)
                y += points * 0.52
                line = word or ""
            else:
                line = longer
        return y

    def rule(self, x: float, y: float, length: float, thickness_mm: float = 0.25) -> None:
        """Draws a horizontal rule, in mm."""
        self._draw.rectangle(
            (self.px(x), self.px(y), self.px(x + length), self.px(y) + max(1, self.px(thickness_mm)) - 1),
            fill=60,
        )

    def _font(self, points: float) -> Any:
        from PIL import ImageFont

        if points not in self._fonts:
            self._fonts[points] = ImageFont.load_default(size=points * self.dpi / 72)
        return self._fonts[points]


def scanned(sheet: Sheet, seed: int, *, skew: float = 0.0, noise: float = 6.0, specks: int = 120) -> Image.Image:
    """Returns the sheet as an office scanner would give it: skewed, soft, grainy, unevenly lit, with dust.

    Args:
        sheet: What lies on the glass.
        seed: Same seed, same picture.
        skew: Degrees anticlockwise.
        noise: Standard deviation of the grain, in gray levels.
        specks: How many grains of dust.
    """
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter

    random = np.random.default_rng(seed)
    page = sheet.image.rotate(skew, Image.Resampling.BICUBIC, fillcolor=240)
    dust = ImageDraw.Draw(page)
    for x, y, radius, level in zip(
        random.integers(0, page.width, specks),
        random.integers(0, page.height, specks),
        random.gamma(2.0, sheet.dpi / 600, specks),
        random.integers(60, 200, specks),
        strict=True,
    ):
        dust.ellipse((x - radius, y - radius, x + radius, y + radius), fill=int(level))
    pixels = np.asarray(page.filter(ImageFilter.GaussianBlur(0.6)), dtype=np.float32)
    height, width = pixels.shape
    pixels = pixels + _uneven(random, width, height, 4.5)
    pixels += random.standard_normal(pixels.shape, dtype=np.float32) * np.float32(noise)
    lid = np.exp(-np.arange(width, dtype=np.float32) / (width * 0.006)) * 70  # its shadow at the left edge
    pixels -= lid[None, :]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _uneven(random: np.random.Generator, width: int, height: int, strength: float) -> np.ndarray[Any, Any]:
    """Returns a slow variation of brightness over a picture."""
    import numpy as np
    from PIL import Image

    coarse = Image.fromarray(random.standard_normal((6, 5), dtype=np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)) * np.float32(strength)


def jpeg(image: Image.Image, dpi: int, quality: int = 75) -> bytes:
    """Returns the picture as JPEG bytes."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, dpi=(dpi, dpi))
    return buffer.getvalue()


def image_pdf(pages: Iterable[Image.Image], dpi: int, quality: int = 75) -> bytes:
    """Returns a PDF with one gray JPEG picture a page, as a scanner writes it."""
    sheets = []
    for page in pages:
        width, height = page.width * 72 / dpi, page.height * 72 / dpi
        picture = _stream(
            b"/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /DCTDecode "
            b"/Width %d /Height %d" % page.size,
            jpeg(page, dpi, quality),
        )
        drawing = b"q %.2f 0 0 %.2f 0 0 cm /Im0 Do Q" % (width, height)
        sheets.append((width, height, drawing, (b"XObject", b"Im0", picture)))
    return _pdf(sheets)


def text_pdf(pages: Iterable[Sequence[tuple[float, float, float, str]]]) -> bytes:
    """Returns a born-digital A4 PDF with a text layer.

    Args:
        pages: For each page its lines: baseline x, y in mm from the top left, size in points, Latin-1 text.
    """
    width, height = (side * _POINTS_PER_MM for side in A4_MM)
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /WinAnsiEncoding >>"
    sheets = []
    for lines in pages:
        drawing = []
        for x, y, points, text in lines:
            escaped = text.encode("latin-1").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            place = (points, x * _POINTS_PER_MM, height - y * _POINTS_PER_MM)
            drawing.append(b"BT /F0 %.1f Tf %.2f %.2f Td " % place + b"(" + escaped + b") Tj ET")
        sheets.append((width, height, b"\n".join(drawing), (b"Font", b"F0", font)))
    return _pdf(sheets)


def _stream(entries: bytes, data: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)


def _pdf(sheets: Sequence[tuple[float, float, bytes, tuple[bytes, bytes, bytes]]]) -> bytes:
    """Lays out a PDF file: per page its size in points, what is drawn, and the one resource that this uses.

    The catalogue comes last, as most scanners write it, so a file cut short has none.
    """
    objects: list[bytes] = []
    tree, catalogue = 3 * len(sheets) + 1, 3 * len(sheets) + 2
    for index, (width, height, drawing, (kind, name, resource)) in enumerate(sheets):
        first = 3 * index + 1
        objects += [
            resource,
            _stream(b"/Filter /FlateDecode", zlib.compress(drawing)),
            b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 %.2f %.2f] /Contents %d 0 R "
            b"/Resources << /%s << /%s %d 0 R >> >> >>" % (tree, width, height, first + 1, kind, name, first),
        ]
    kids = b" ".join(b"%d 0 R" % (3 * index + 3) for index in range(len(sheets)))
    objects.append(b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(sheets), kids))
    objects.append(b"<< /Type /Catalog /Pages %d 0 R >>" % tree)
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    xref = len(out)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    out += b"trailer\n<< /Size %d /Root %d 0 R >>\n" % (len(objects) + 1, catalogue)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % xref

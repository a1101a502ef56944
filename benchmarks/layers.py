"""PDF pages with a text layer, sound and broken, printed by Chromium and then damaged on purpose.

`python -m benchmarks.layers FOLDER` writes them: for each of 40 pages in different print one file per kind, and
`truth.json` with the words that can be seen on each page. The same versions write the same pages.
"""

from __future__ import annotations

import argparse
import html
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.documents import make_page
from inkstream.ocr_core.documents.opening import open_document
from inkstream.ocr_core.options import RenderOptions
from inkstream.ocr_core.text.words import Word

PAGES = 40
DPI = 200
_FAMILIES = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Condensed", "DejaVu Serif Condensed", "DejaVu Sans Mono")
_SECTION = re.compile(rb"beginbf(char|range)(.*?)endbf", re.DOTALL)
_CODE = re.compile(rb"<([0-9A-Fa-f]+)>")
_ALIKE = {"o": "0", "l": "1", "e": "c", "m": "rn", "S": "5", "h": "b", "i": "l", "n": "u", "0": "O", "1": "l", "5": "S"}


def make_corpus(folder: Path) -> dict[str, list[str]]:
    """Write the files and their truth into `folder`, unless they are there already.

    Returns:
        The words on the page of each file, by file name `NUMBER-KIND.pdf`.
    """
    truth_file = folder / "truth.json"
    if not truth_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        truth: dict[str, list[str]] = {}
        _print(folder)
        for number in range(PAGES):
            clean = folder / f"{number:02}-clean.pdf"
            words = [word.text for word in _words(clean)]
            for kind, damage in KINDS.items():
                name = f"{number:02}-{kind}.pdf"
                more = damage(clean, folder / name, np.random.default_rng(number))
                truth[name] = [*words, *more]
        truth_file.write_text(json.dumps(truth, indent=1))
    return {str(name): list(words) for name, words in json.loads(truth_file.read_text()).items()}


def _print(folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        for number in range(PAGES):
            page.set_content(_document(number))
            page.pdf(path=folder / f"{number:02}-clean.pdf", format="A4", print_background=True, page_ranges="1")
        browser.close()


def _document(number: int) -> str:
    """Return a page as HTML: a heading, prose in one or two columns, a table of amounts, a list, a dark panel."""
    random = np.random.default_rng(number)
    family = _FAMILIES[number % len(_FAMILIES)]
    size = random.integers(7, 13)
    shade = ("#000", "#333", "#666", "#1a3c6e", "#7a1f1f")[random.integers(5)]
    prose = [html.escape(part) for part in make_page(number)[1].split("\n")[: random.integers(2, 5)]]
    prose = [part.replace("the ", "<b>the</b> ", 1).replace("and", "<i>and</i>", 1) for part in prose]
    rows = "".join(
        f"<tr><td>Item {random.integers(1000, 9999)}</td><td>{random.integers(1, 99)}</td>"
        f"<td style='text-align:right'>{random.integers(100, 99999) / 100:,.2f}</td></tr>"
        for _ in range(random.integers(4, 12))
    )
    border = "1px solid #888" if random.integers(2) else "none"
    return (
        f"<body style='font:{size}pt \"{family}\";color:{shade}'>"
        f"<h2>Report {random.integers(100, 999)} of the board</h2>"
        f"<div style='columns:{random.integers(1, 3)}'>{''.join(f'<p>{part}</p>' for part in prose)}</div>"
        f"<table style='border-collapse:collapse' border=1 bordercolor='#999'>{rows}</table>"
        f"<ul><li>Payment within {random.integers(7, 60)} days</li><li>Delivered to the gate</li></ul>"
        f"<div style='background:#223;color:#eee;padding:6pt;border:{border}'>"
        f"Telephone 0{random.integers(10**8, 10**9)} from {random.integers(8, 11)} to {random.integers(14, 19)} hours"
        "</div></body>"
    )


def _words(path: Path) -> list[Word]:
    with open_document(path) as document:
        page = document.page(0)
        try:
            return [each.word for each in page.words(page.canvas(RenderOptions(resolution=DPI))) or []]
        finally:
            page.close()


def _picture(path: Path, dpi: int = DPI) -> Image.Image:
    with pypdfium2.PdfDocument(path) as document:
        picture: Image.Image = document[0].render(scale=dpi / 72, grayscale=True).to_pil()
        return picture


Damage = Callable[[Path, Path, np.random.Generator], list[str]]
"""Writes a damaged copy of a page; returns words that the copy shows in addition."""


def _remapped(change: Callable[[int, np.random.Generator], int], share: float = 1.0) -> Damage:
    """Change the Unicode maps of the fonts (or of the first `share` of them)."""

    def damage(clean: Path, out: Path, random: np.random.Generator) -> list[str]:
        with pikepdf.open(clean) as pdf:
            maps = [item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and "/ToUnicode" in item]
            for font in maps[: max(1, round(share * len(maps)))]:
                stream = font.ToUnicode
                stream.write(_new_cmap(stream.read_bytes(), lambda code: change(code, random)))
            pdf.save(out)
        return []

    return damage


def _new_cmap(cmap: bytes, change: Callable[[int], int]) -> bytes:
    """Return a map with changed characters; ranges are written out."""
    found: dict[int, int] = {}
    digits = 4
    for section, body in _SECTION.findall(cmap):
        codes = _CODE.findall(body)
        digits = len(codes[0])
        numbers = [int(code, 16) for code in codes]
        if section == b"char":
            found.update(zip(numbers[::2], numbers[1::2], strict=True))
            continue
        for first, last, start in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True):
            found.update({code: start + code - first for code in range(first, last + 1)})
    lines = [b"<%0*X> <%04X>\n" % (digits, code, change(character)) for code, character in found.items()]
    blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]  # a block has 100 lines at most
    head = b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def "
    codespace = b"1 begincodespacerange <%s> <%s> endcodespacerange " % (b"0" * digits, b"F" * digits)
    body = b"".join(b"%d beginbfchar\n%sendbfchar\n" % (len(block), b"".join(block)) for block in blocks)
    return head + codespace + body + b"endcmap end end"


def _shift(code: int, _random: np.random.Generator) -> int:
    return code + 3 if code > 0x20 else code


def _digits(code: int, _random: np.random.Generator) -> int:
    return 0x30 + (code - 0x30) * 7 % 10 if 0x30 <= code <= 0x39 else code


def _unmapped(code: int, random: np.random.Generator) -> int:
    return 0 if code > 0x40 and random.random() < 0.1 else code


def _with_content(clean: Path, out: Path, content: str, picture: Image.Image | None = None) -> None:
    """Add content in the font /Extra and with the picture /Scan, in points from the bottom left."""
    with pikepdf.open(clean) as pdf:
        page = pdf.pages[0]
        _add(pdf, page, content, picture)
        pdf.save(out)


def _add(pdf: pikepdf.Pdf, page: pikepdf.Page, content: str, picture: Image.Image | None) -> None:
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    page.add_resource(font, pikepdf.Name.Font, pikepdf.Name.Extra)
    if picture is not None:
        data = io.BytesIO()
        picture.save(data, "jpeg", quality=85)
        stream = pikepdf.Stream(pdf, data.getvalue())
        stream.Type, stream.Subtype, stream.Filter = pikepdf.Name.XObject, pikepdf.Name.Image, pikepdf.Name.DCTDecode
        stream.Width, stream.Height, stream.BitsPerComponent = *picture.size, 8
        stream.ColorSpace = pikepdf.Name.DeviceGray
        page.add_resource(stream, pikepdf.Name.XObject, pikepdf.Name.Scan)
    page.contents_add(b"q ", prepend=True)
    page.contents_add(b" Q q " + content.encode("latin-1", "replace") + b" Q")


def _unseen(clean: Path, out: Path, _random: np.random.Generator) -> list[str]:
    """Add white words on white at the foot of the page, and words beyond its edge."""
    white = "1 g BT /Extra 9 Tf 60 20 Td (Nobody sees these secret words at all) Tj ET "
    _with_content(clean, out, white + "BT /Extra 9 Tf -400 400 Td (Beyond the left edge) Tj ET")
    return []


def _pasted(clean: Path, out: Path, random: np.random.Generator) -> list[str]:
    """Paste a picture of a few words on the lower half of the page, as people paste tables into reports."""
    year, travel, postage = (random.integers(low, 9999) for low in (2027, 1000, 1000))
    words = f"Budget {year} Travel {travel} Postage {postage}"
    picture = Image.new("L", (900, 120), 255)
    ImageDraw.Draw(picture).text((20, 30), words, 20, font=ImageFont.load_default(44))
    _with_content(clean, out, "260 0 0 34.7 60 40 cm /Scan Do", picture)
    return words.split()


def _scan(errors: float, *, layer: bool = True, below: bool = False, grain: float = 6.0) -> Damage:
    """Make a scan of the page, with an invisible text layer in which a share of the letters is wrong."""

    def damage(clean: Path, out: Path, random: np.random.Generator) -> list[str]:
        picture = _picture(clean).filter(ImageFilter.GaussianBlur(0.6))
        noisy = np.clip(np.asarray(picture) + random.normal(0, grain, picture.size[::-1]), 0, 255)
        picture = Image.fromarray(noisy.astype(np.uint8))
        width, height = (side * 72 / DPI for side in picture.size)
        shown = f"q {width:.2f} 0 0 {height:.2f} 0 0 cm /Scan Do Q "
        text = "".join(_hidden(word, height, errors, random, 0 if below else 3) for word in _words(clean))
        footer = "BT /Extra 8 Tf 40 12 Td (Scanned with an app) Tj ET"
        with pikepdf.new() as pdf:
            page = pdf.add_blank_page(page_size=(width, height))
            content = (text + shown if below else shown + text) if layer else shown + footer
            _add(pdf, page, content, picture)
            pdf.save(out)
        return [] if layer else ["Scanned", "with", "an", "app"]

    return damage


def _hidden(word: Word, height: float, errors: float, random: np.random.Generator, mode: int) -> str:
    text = "".join(_ALIKE.get(c, "c") if c.isalnum() and random.random() < errors else c for c in word.text)
    shown = "".join("\\" + c if c in "()\\" else c for c in text)
    x, y, size = word.box.left * 72 / DPI, height - word.box.bottom * 72 / DPI, word.box.height * 72 / DPI
    stretch = 100 * word.box.width * 72 / DPI / max(1.0, 0.5 * size * len(text))
    return f"BT {mode} Tr /Extra {size:.2f} Tf {stretch:.1f} Tz {x:.2f} {y:.2f} Td ({shown} ) Tj ET\n"


KINDS: dict[str, Damage] = {
    "clean": lambda _clean, _out, _random: [],
    "shifted": _remapped(_shift),
    "one-font-shifted": _remapped(_shift, 0.3),
    "digits": _remapped(_digits),
    "unmapped": _remapped(_unmapped),
    "unseen": _unseen,
    "pasted": _pasted,
    "footer": _scan(0.0, layer=False),
    "ocr-0": _scan(0.0),
    "ocr-3": _scan(0.03),
    "ocr-10": _scan(0.1),
    "ocr-30": _scan(0.3),
    "below-0": _scan(0.0, below=True),
}
"""What was done to each page; `ocr-3` is a scan with an earlier OCR that got 3 % of the letters wrong."""


def main() -> None:
    """Write the corpus into a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print(len(make_corpus(parser.parse_args().folder)), "files")


if __name__ == "__main__":
    main()

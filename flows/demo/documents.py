"""Documents for the demo: a small inbox as an office would have it.

Every file has the same bytes each time it is made.
"""

from __future__ import annotations

import io
import os
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from inkstream.flows.demo.paper import Sheet, image_pdf, jpeg, scanned, text_pdf

if TYPE_CHECKING:
    from PIL import Image

_INVOICE_LINES = (
    ("Cartridge paper, 160 g, A3, box of 500", 6, 41.50),
    ("Bookbinding linen, dark green, per metre", 24, 9.80),
    ("Wheat starch paste, 1 kg tin", 10, 12.25),
    ("Bone folder, 20 cm", 15, 6.40),
    ("Archival boxes, folio, flat packed", 40, 7.15),
    ("Japanese tissue, 9 g, roll of 30 m", 3, 86.00),
)
_INVOICE_TERMS = (
    "Goods remain the property of the seller until the invoice is paid in full. Please examine the delivery "
    "on arrival: damage in transit must be reported to the carrier and to us within five working days, with "
    "a photograph of the parcel and of the goods.",
    "Payment is due within thirty days of the invoice date. For payment within ten days we grant a discount "
    "of two per cent on the value of the goods. Interest on late payment is charged at eight per cent above "
    "the base rate.",
    "Rolls and boxes that have not been opened may be returned within fourteen days. Linen is cut to length "
    "and cannot be taken back. The cost of carriage for a return is borne by the buyer unless the goods "
    "were faulty.",
    "Please quote the invoice number with every payment. Questions about this invoice are answered by Mrs "
    "Adler in the accounts office, on weekdays between nine and four.",
)
_LETTER = (
    "Dear Ms Okafor,",
    "Thank you for sending the second box of parish registers, which arrived on Tuesday in good order. We "
    "have now counted and photographed all of them: there are eleven volumes, of which four have loose "
    "boards and one, the register of burials for 1847, has been wet and is partly stuck together.",
    "We would like to keep that volume for three weeks longer than agreed. Our conservator believes that "
    "the leaves can be parted without loss if they are allowed to dry slowly, and she does not want to "
    "hurry. The other ten volumes can go back to you on the van that leaves on Friday the 27th of November.",
    "You asked whether the names will be searchable. They will: every page is read by machine, the text is "
    "kept beside the picture, and doubtful words are marked with how sure the machine was. A volunteer "
    "checks those by hand. For the printed forms this works very well, for the oldest handwriting not yet.",
    "With kind regards,",
)
_RECEIPT_LINES = (
    ("Sourdough loaf", 4.20),
    ("Oat milk 1 l", 2.15),
    ("Farm eggs x 10", 3.95),
    ("Cheddar mature", 5.60),
    ("Tomatoes 0.84 kg", 3.02),
    ("Coffee beans 500 g", 11.90),
)
_MINUTES = (
    (
        "Minutes of the Harbour Library Committee",
        "Thursday 5 November 2026, 18:30, Reading Room",
        "Present: A. Lindqvist (chair), T. Moreau, S. Banerjee, J. Whitfield, P. Novak (minutes). "
        "Apologies: R. Castellano.",
        "1. Minutes of the last meeting. The minutes of 1 October were approved without change.",
        "2. Roof of the east wing. Mr Whitfield reported that the slates above the map store have been "
        "replaced at a cost of 18,450 euros, which is 1,150 euros below the estimate. The gutters will be "
        "done in the spring. No water came in during the storm of 28 October.",
        "3. Opening hours. The trial of longer hours on Wednesdays ends in December. An average of 37 "
        "readers came after six o'clock, most of them students. The committee will decide in January "
        "whether to go on with it.",
    ),
    (
        "4. Digitisation. Ms Banerjee showed the first results: 4,212 pages of the harbour master's "
        "journals have been scanned and can be searched. Two scanners are on loan until March. The "
        "committee asked for a list of the volumes that are too fragile to be opened flat.",
        "5. Budget. The treasurer's figures for the third quarter were accepted. Income was 62,300 euros, "
        "expenditure 57,940 euros. The surplus is put aside for the gutters.",
        "6. Any other business. A reader has offered a collection of about 300 sea charts. Ms Moreau will "
        "look at them before the next meeting.",
        "Next meeting: Thursday 3 December 2026, 18:30. The meeting closed at 20:10.",
    ),
)
_GOODS = (
    "drawing pins",
    "envelopes C4",
    "index cards",
    "lever arch files",
    "carbon paper",
    "gummed labels",
    "ink pads",
)


def make_inbox(folder: Path) -> list[Path]:
    """Writes the demo's five documents: two scans, a born-digital PDF, a photograph and a damaged PDF.

    A document that is already there is left alone: rewriting it would make it a new version of the file.

    Args:
        folder: Where to; made if it is not there.

    Returns:
        The five paths, existing ones too.
    """
    makers = {
        "invoice-scan.pdf": _invoice,
        "minutes-2026-11.pdf": _minutes,
        "receipt.jpg": _receipt,
        "letter.png": _letter,
        "damaged.pdf": _damaged,
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in makers.items():
        if not (folder / name).exists():
            _write(folder / name, make())
    return [folder / name for name in makers]


def add_one(folder: Path) -> Path:
    """Writes one more document, a scanned delivery note with the next free number.

    Returns:
        Its path.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = 1041
    while (path := folder / f"delivery-note-{number}.pdf").exists():
        number += 1
    _write(path, _delivery_note(number))
    return path


def _write(path: Path, data: bytes) -> None:
    """Writes under a hidden name and renames: a watcher of the folder never sees half a file."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    partial.write_bytes(data)
    partial.replace(path)


def _letterhead(sheet: Sheet, name: str, address: str) -> None:
    sheet.text(25, 28, name, 17, bold=True)
    sheet.text(25, 34, address, 8.5, ink=80)
    sheet.rule(25, 37, 160, 0.5)


def _invoice() -> bytes:
    """Two scanned pages: the invoice, and its terms."""
    front, back = Sheet(200), Sheet(200)
    _letterhead(front, "Halvorsen & Reed", "Paper, linen and tools for bookbinders   14 Quay Street, Bergen")
    to = ("Northgate Conservation Studio", "attn. Mr Daniel Pryce", "8 Chapel Row", "York YO1 7LD")
    about = (("Invoice number", "HR-2026-0418"), ("Invoice date", "12 November 2026"), ("Customer", "20731"))
    for index, line in enumerate(to):
        front.text(25, 54 + index * 5.4, line, 10.5)
    for index, (label, value) in enumerate(about):
        front.text(125, 54 + index * 5.4, label, 10)
        front.text(185, 54 + index * 5.4, value, 10, right=True)
    front.text(25, 91, "Invoice", 20, bold=True)
    y = _goods_table(front, 105)
    front.paragraph(25, y, 150, "Please pay within thirty days, quoting the invoice number. Terms overleaf.")
    bank = "Bank: Sparebanken Vest   IBAN NO93 8601 1117 947   Registered in Bergen, no. 914 778 271"
    front.text(25, 275, bank, 8)

    _letterhead(back, "Terms of sale and delivery", "Invoice HR-2026-0418, page 2 of 2")
    y = 52.0
    for number, terms in enumerate(_INVOICE_TERMS, 1):
        back.text(25, y, f"{number}.", 10.5)
        y = back.paragraph(33, y, 150, terms, 10.5) + 4
    return image_pdf([scanned(front, 418, skew=0.7), scanned(back, 419, skew=-0.9)], 200)


def _goods_table(sheet: Sheet, y: float) -> float:
    """Sets the invoice's lines and sums from `y` mm down; returns where to go on."""
    headings = ((25, "Description"), (128, "Quantity"), (156, "Unit price"), (185, "Amount"))
    for x, label in headings:
        sheet.text(x, y, label, 9.5, bold=True, right=x > 25)
    sheet.rule(25, y + 2.5, 160)
    y += 9.5
    for description, quantity, price in _INVOICE_LINES:
        cells = (description, str(quantity), f"{price:.2f}", f"{quantity * price:,.2f}")
        for (x, _), cell in zip(headings, cells, strict=True):
            sheet.text(x, y, cell, 10, right=x > 25)
        y += 7.5
    sheet.rule(25, y - 3, 160)
    net = sum(quantity * price for _, quantity, price in _INVOICE_LINES)
    tax = round(net * 0.20, 2)
    for label, amount in (("Subtotal", net), ("VAT 20 %", tax), ("Total due in GBP", net + tax)):
        y += 7
        bold = label.startswith("Total")
        sheet.text(128, y, label, 10.5, bold=bold, right=True)
        sheet.text(185, y, f"{amount:,.2f}", 10.5, bold=bold, right=True)
    return y + 20


def _minutes() -> bytes:
    """Two born-digital pages with a text layer."""
    pages = []
    for number, paragraphs in enumerate(_MINUTES, 1):
        lines: list[tuple[float, float, float, str]] = []
        y = 32.0
        for index, paragraph in enumerate(paragraphs):
            points = 18.0 if number == 1 and index == 0 else 11.5
            for line in textwrap.wrap(paragraph, 88):
                lines.append((25, y, points, line))
                y += points * 0.5
            y += 4
        lines.append((25, 282, 9, f"Harbour Library Committee, 5 November 2026, page {number} of {len(_MINUTES)}"))
        pages.append(lines)
    return text_pdf(pages)


def _letter() -> bytes:
    """A scanned letter as a PNG."""
    sheet = Sheet(150, paper=248)
    _letterhead(sheet, "County Record Office", "Castle Hill, Lewes   conservation and reading room")
    for index, line in enumerate(("Ms Adaeze Okafor", "St Botolph's Parish Archive", "2 Abbey Lane", "Colchester")):
        sheet.text(25, 54 + index * 5.4, line, 11)
    sheet.text(185, 86, "Lewes, 17 November 2026", 11, right=True)
    y = 100.0
    for paragraph in _LETTER:
        y = sheet.paragraph(25, y, 160, paragraph, 11) + 4
    sheet.text(25, y + 16, "Margaret Ellison", 11)
    sheet.text(25, y + 21.5, "Head of Conservation", 10)
    buffer = io.BytesIO()
    scanned(sheet, 27, skew=-0.4, noise=3.0, specks=40).save(buffer, "PNG", dpi=(150, 150), compress_level=1)
    return buffer.getvalue()


def _receipt() -> bytes:
    """A till receipt, photographed on a table."""
    sheet = Sheet(280, (80, 128), paper=244)
    sheet.text(12.5, 14, "GREEN LANE GROCERS", 14, bold=True)
    sheet.text(22, 20, "41 Green Lane, Bristol", 9)
    sheet.text(20, 25, "VAT no. GB 284 7731 60", 9)
    sheet.text(6, 35, "14/11/2026  10:42", 9.5)
    sheet.text(74, 35, "Till 3  No. 80417", 9.5, right=True)
    sheet.rule(6, 38, 68)
    y = 46.0
    for name, price in _RECEIPT_LINES:
        sheet.text(6, y, name, 10.5)
        sheet.text(74, y, f"{price:.2f}", 10.5, right=True)
        y += 6.5
    sheet.rule(6, y - 3, 68)
    total = sum(price for _, price in _RECEIPT_LINES)
    sheet.text(6, y + 4.5, "TOTAL GBP", 13, bold=True)
    sheet.text(74, y + 4.5, f"{total:.2f}", 13, bold=True, right=True)
    sheet.text(6, y + 12, "Card payment", 9.5)
    sheet.text(74, y + 12, "**** 6021", 9.5, right=True)
    sheet.text(15, y + 24, "Thank you for shopping with us", 9.5)
    return jpeg(_photographed(sheet, 80417), 72, quality=85)


def _photographed(sheet: Sheet, seed: int) -> Image.Image:
    """Returns the sheet as a telephone sees it: lying askew on a wooden table, in the light of a window."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFilter

    random = np.random.default_rng(seed)
    size = width, height = 1200, 1800
    corners = ((148, 142), (1052, 118), (1092, 1632), (112, 1668))
    planks = Image.fromarray(random.standard_normal((180, 4), dtype=np.float32))
    grain = np.asarray(planks.resize(size, Image.Resampling.BICUBIC))[:, :, None]
    table = np.array((112, 80, 54), np.float32) + grain * np.array((11, 9, 7), np.float32)

    lens = _perspective(corners, sheet.image.size)
    flat = sheet.image.transform(size, Image.Transform.PERSPECTIVE, lens, Image.Resampling.BICUBIC, fillcolor=244)
    paper = np.asarray(flat, dtype=np.float32)[:, :, None] * np.array((1.0, 0.985, 0.95), np.float32)
    outline = Image.new("L", size)
    ImageDraw.Draw(outline).polygon(corners, fill=255)
    cover = np.asarray(outline.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32)[:, :, None] / 255
    shadow = Image.new("L", (width // 8, height // 8))
    ImageDraw.Draw(shadow).polygon([(x // 8 + 3, y // 8 + 4) for x, y in corners], fill=255)
    shadow = shadow.filter(ImageFilter.GaussianBlur(3)).resize(size)
    shade = np.asarray(shadow, dtype=np.float32)[:, :, None] / 255

    across = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    scene = (table * (1 - 0.55 * shade) * (1 - cover) + paper * cover) * (1.04 - 0.16 * across - 0.12 * down)
    scene += random.standard_normal((height, width, 1), dtype=np.float32) * 4
    return Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.5))


def _perspective(corners: Sequence[tuple[int, int]], size: tuple[int, int]) -> tuple[float, ...]:
    """Returns the eight coefficients by which Pillow lays a picture of `size` into four corners."""
    import numpy as np

    rows, right = [], []
    targets = ((0, 0), (size[0], 0), size, (0, size[1]))
    for (x, y), (u, v) in zip(corners, targets, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return tuple(float(value) for value in np.linalg.solve(np.array(rows, float), np.array(right, float)))


def _damaged() -> bytes:
    """A scan whose upload broke off half way."""
    sheet = Sheet(120)
    _letterhead(sheet, "Harbour Library", "Inventory of the map store, 1931")
    whole = image_pdf([scanned(sheet, 1931)], 120)
    return whole[: len(whole) // 2]


def _delivery_note(number: int) -> bytes:
    """One scanned page; the number decides what was delivered."""
    import numpy as np

    random = np.random.default_rng(number)
    sheet = Sheet(200)
    _letterhead(sheet, "Tidewater Office Supply", "Unit 7, Harbour Road, Ipswich   telephone 01473 555 0182")
    sheet.text(25, 60, f"Delivery note {number}", 20, bold=True)
    sheet.text(25, 70, f"Delivered on {1 + number % 28} November 2026 to the Harbour Library, side entrance.", 10.5)
    y = 86.0
    for name in random.permutation(_GOODS)[:5]:
        sheet.text(25, y, f"{random.integers(2, 60)} x", 10.5)
        sheet.text(42, y, f"{name}, item {random.integers(10000, 99999)}", 10.5)
        y += 7
    sheet.paragraph(
        25,
        y + 10,
        150,
        "All parcels were received complete and undamaged. Signed at the door by P. Novak.",
        10.5,
    )
    return image_pdf([scanned(sheet, number, skew=float(random.uniform(-1, 1)))], 200)

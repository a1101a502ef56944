"""The benchmark's input: 24 scanned pages of dense letters in 8 PDFs, 300 dpi gray with noise.

`python -m benchmarks.documents FOLDER` writes them. The same version of Pillow writes the same bytes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.paper import Sheet, image_pdf, scanned

if TYPE_CHECKING:
    import numpy as np

FILES, PAGES_PER_FILE, DPI = 8, 3, 300

_SENTENCES = (
    "The survey of the {place} estate was finished in {month}, about {n} days later than we had hoped.",
    "Of the {n} crates that left the warehouse, all but two reached {place} before the roads were closed.",
    "Mr {name} has asked for a written estimate, which we put at {money} pounds including the scaffolding.",
    "The water stood {n} centimetres deep in the cellar, and the lower shelves had to be emptied by hand.",
    "I enclose a copy of the agreement that your predecessor signed in {month}, together with the plan.",
    "It would help us greatly if the keys could be left with Mrs {name} at the gate house.",
    "The price of timber has gone up again since {month}, and the carpenters will not hold their offer.",
    "Nobody at {place} remembers when the tower was last painted, but the account books give the year.",
    "We have set aside {money} pounds for repairs that could not be foreseen, and spent half of it already.",
    "The committee heard {name} at some length and then decided to leave things as they are for a year.",
    "Please send the remaining drawings by post, since the last parcel was delayed at {place} for {n} days.",
    "Every window on the north side was measured twice, and the two lists agree except for the pantry.",
    "Your letter of the {day} of {month} reached me only yesterday, because it went to the old address.",
    "The men can begin on the {day} if the weather holds, and they expect to need {n} working days.",
    "There is a right of way across the orchard, as {name} pointed out, and it must be kept open.",
    "The insurers want photographs of the damage, a list of what was lost, and receipts where there are any.",
    "From {place} the line runs north along the canal for {n} miles before it meets the main road.",
    "In the meantime the boiler has been patched, and the reading room is warm enough to be used.",
    "She counted {n} volumes on the upper gallery, of which a third have no shelf mark at all.",
    "The bank has confirmed the transfer of {money} pounds, so the second payment falls due in {month}.",
    "I have spoken with Dr {name} about the samples, and the results should be known within a fortnight.",
    "As for the garden wall, it leans more than it did, and I would not wait for another winter.",
    "A visitor from {place} offered to translate the older deeds, and asked for nothing but his fare.",
    "The contract allows {n} days for objections, after which the drawings are taken as approved.",
)
_NAMES = (
    "Ashworth",
    "Bellamy",
    "Carrington",
    "Drummond",
    "Everett",
    "Fairbanks",
    "Goodwin",
    "Holloway",
    "Ingram",
)
_PLACES = (
    "Ardwick",
    "Bramley",
    "Colnbrook",
    "Dunmore",
    "Elmstead",
    "Fernhill",
    "Gosforth",
    "Hartwell",
    "Kelmscott",
)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "August",
    "September",
    "October",
    "November",
)
_DAYS = ("3rd", "7th", "9th", "12th", "16th", "18th", "21st", "24th", "27th")


def make_documents(folder: Path) -> dict[str, str]:
    """Write the PDFs and `truth.json` into `folder`, unless they are there already.

    Returns:
        The text of each file, by file name.
    """
    truth_file = folder / "truth.json"
    if not truth_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            texts = pool.starmap(_make_file, [(folder, number) for number in range(FILES)])
        truth_file.write_text(json.dumps(dict(texts), indent=1))
    return {str(name): str(text) for name, text in json.loads(truth_file.read_text()).items()}


def _make_file(folder: Path, number: int) -> tuple[str, str]:
    """Write one PDF and return its name and its words."""
    pictures, texts = [], []
    for index in range(PAGES_PER_FILE):
        seed = 1000 + number * PAGES_PER_FILE + index
        sheet, text = make_page(seed)
        skew = ((seed * 37) % 100 - 50) / 100  # within half a degree
        pictures.append(scanned(sheet, seed, skew=skew, noise=8.0, specks=200))
        texts.append(text)
    path = folder / f"letters-{number}.pdf"
    path.write_bytes(image_pdf(pictures, DPI))
    return path.name, "\n".join(texts)


def make_page(seed: int) -> tuple[Sheet, str]:
    """Fill a page with prose and return it with its text."""
    import numpy as np

    random = np.random.default_rng(seed)
    sheet = Sheet(DPI)
    y, paragraphs = 26.0, []
    deck: list[str] = []
    while y < 262:
        if len(deck) < 6:
            deck += random.permutation(_SENTENCES).tolist()
        paragraph = " ".join(_filled(deck.pop(0), random) for _ in range(random.integers(3, 6)))
        y = sheet.paragraph(22, y, 166, paragraph, 10.5) + 2.5
        paragraphs.append(paragraph)
    return sheet, "\n".join(paragraphs)


def _filled(template: str, random: np.random.Generator) -> str:
    return template.format(
        n=random.integers(3, 90),
        money=f"{random.integers(200, 9000):,}",
        name=_NAMES[random.integers(len(_NAMES))],
        place=_PLACES[random.integers(len(_PLACES))],
        month=_MONTHS[random.integers(len(_MONTHS))],
        day=_DAYS[random.integers(len(_DAYS))],
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.documents", description="Write the benchmark's documents and their text."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="Folder to write them to; it is made if needed.")
    make_documents(parser.parse_args().folder)

"""The effect of each preprocessing step on the words that are read, on made pages with a defect and on samples.

    python -m benchmarks.preprocess [--samples DIR] [--only NAME ...]

Made pages have one defect each, and are read without and with the step against it. Samples are read with each step in
turn. A sample is an image or a PDF's first page beside a transcript of the same name: `.txt`, or `.csv` with eight
coordinates and the text of a line in each row (like the SROIE receipts).
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.documents import DPI, make_page
from benchmarks.paper import scanned
from inkstream import PipelineOptions, build_pipeline, open_document

Defect = Callable[[Image.Image], Image.Image]

PAPER = 240
FORM = """
Date: 7/16/68 Sample No. 5031 Original request made by Mr. C. L. Tucker, Jr. on 7/10/68 Sample specifications written by
John H. M. Bohlken BLEND CASING RECASING FINAL FLAVOR MENTHOL FLAVOR OLD GOLD STRAIGHT Tobacco Blend Control for Sample
No. 5030 Cigarettes: Brand OLD GOLD STRAIGHT Length 85 mm. Circumference 25.3 mm. Paper Ecusta 556 Firmness OLD GOLD
STRAIGHT Draw OLD GOLD STRAIGHT Weight OLD GOLD STRAIGHT Tipping Paper Print OLD GOLD STRAIGHT Filter Length Wrappings:
Labels OLD GOLD STRAIGHT Closures Standard Blue Tear Tape Gold Cartons OLD GOLD STRAIGHT Markings Sample number on each
pack and carton Requirements: Laboratory One Tray Others Laboratory Analysis: Tars and Nicotine, Taste Panel, Burning
Time, Gas Phase Analysis, Benzo (A) Pyrene Analyses Responsibility: Tobacco Blend Manufacturing A. Kraus Filter
Production Making & Packing Product Development, John H. M. Bohlken Shipping Reports: Written by John H. M. Bohlken
Original to Mr. C. L. Tucker, Jr. Copies to Dr. A. W. Spears
"""
TRANSCRIPTS = {"noised.pdf": FORM}
"""The text of samples that come without a transcript."""

STEPS: dict[str, dict[str, Any]] = {
    "none": {},
    "border": {"border": {}},
    "denoise, median": {"denoise": {}},
    "denoise, despeckle": {"denoise": {"method": "despeckle"}},
    "orient": {"orient": {}},
    "deskew": {"deskew": {}},
    "scale, text_height 34": {"scale": {}},
    **{
        f"binarize, {method}": {"binarize": {"method": method}}
        for method in ("threshold", "otsu", "mean", "gaussian", "sauvola", "wolf", "nick", "isauvola", "singh")
    },
}


def skewed(page: Image.Image) -> Image.Image:
    """Return a page fed into the scanner at an angle of 12 degrees."""
    return page.rotate(-12, Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER)


def speckled(page: Image.Image) -> Image.Image:
    """Return a page with salt and pepper on 8 % of the pixels."""
    pixels, grains = np.asarray(page).copy(), np.random.default_rng(8).random((page.height, page.width))
    pixels[grains < 0.04] = 0
    pixels[grains > 0.96] = 255
    return Image.fromarray(pixels)


def bordered(page: Image.Image) -> Image.Image:
    """Return a page scanned under an open lid: with a dark rim all round, wider at two sides."""
    scan = Image.new("L", (page.width + 500, page.height + 400), 14)
    scan.paste(page, (350, 120))
    return scan


def shaded(page: Image.Image) -> Image.Image:
    """Return a page photographed in a shadow that leaves a sixth of the light on one side."""
    light = np.linspace(0.16, 1, page.width, dtype=np.float32)[None, :]
    return Image.fromarray((np.asarray(page, np.float32) * light).astype(np.uint8))


def small(page: Image.Image) -> Image.Image:
    """Return a page scanned at 80 dpi, which the file does not say: 10.5 points are 12 pixels."""
    return page.resize((page.width * 80 // DPI, page.height * 80 // DPI), Image.Resampling.BOX)


DEFECTS: dict[str, tuple[Defect, dict[str, Any]]] = {
    "dark border": (bordered, {"border": {}}),
    "salt and pepper": (speckled, {"denoise": {}}),
    "on its side": (lambda page: page.rotate(90, expand=True), {"orient": {}}),
    "upside down": (lambda page: page.rotate(180), {"orient": {}}),
    "skewed by 12 degrees": (skewed, {"deskew": {"half_angle": 15}}),
    "scanned at 80 dpi": (small, {"scale": {}}),
    "in a shadow": (shaded, {"binarize": {"method": "sauvola", "k": 0.1}}),
}


@dataclass
class Score:
    """Word counts of several pages (on the pages, found, and right), CPU seconds and the number of pages."""

    wanted: int = 0
    found: int = 0
    right: int = 0
    seconds: float = 0.0
    pages: int = 0

    def add(self, truth: str, text: str, seconds: float) -> None:
        """Add one page. Case and punctuation are ignored; repeated words are counted."""
        wanted, found = (Counter(re.findall(r"\w+", side.lower())) for side in (truth, text))
        self.wanted, self.found = self.wanted + wanted.total(), self.found + found.total()
        self.right += (wanted & found).total()
        self.seconds, self.pages = self.seconds + seconds, self.pages + 1

    def __str__(self) -> str:
        recall, precision = self.right / max(1, self.wanted), self.right / max(1, self.found)
        return f"{recall:7.1%}{precision:10.1%}{self.seconds / max(1, self.pages):7.2f}"


HEADING = f"{'found':>7}{'right':>10}{'CPU s':>7}"


def read(path: Path, preprocess: dict[str, Any], truth: str, score: Score) -> None:
    """Read a file's first page and add its words to the score."""
    sections = {"text_layer": {"mode": "ignore"}, "preprocess": preprocess}
    pipeline = build_pipeline(PipelineOptions.model_validate(sections))
    started = time.process_time()
    with open_document(path) as document:
        result = pipeline.run(document, 0)
    score.add(truth, result.text or "", time.process_time() - started)


def made_pages(only: list[str]) -> Iterator[str]:
    """Yield the table of pages with a defect, without and with the step against it."""
    yield f"{'made page':24}{'step':12}{HEADING}{'    with it:':14}{HEADING}"
    sheet, truth = make_page(3)
    clean = scanned(sheet, 3, noise=4)
    with tempfile.TemporaryDirectory(prefix="inkstream-benchmark-") as folder:
        for defect, (spoil, step) in DEFECTS.items():
            if only and not set(step) & set(only):
                continue
            without, with_it, path = Score(), Score(), Path(folder, "page.png")
            spoil(clean).save(path, compress_level=1)
            read(path, {}, truth, without)
            read(path, step, truth, with_it)
            yield f"{defect:24}{next(iter(step)):12}{without}{'':14}{with_it}"


def samples(folder: Path) -> dict[Path, str]:
    """Return the samples under a folder with their transcripts."""
    found = {}
    for path in sorted(folder.rglob("*")):
        rows, text = path.with_suffix(".csv"), path.with_suffix(".txt")
        if path.suffix.lower() not in {".jpg", ".jpeg", ".png", ".pdf", ".tif", ".tiff"}:
            continue
        if text.exists():
            found[path] = text.read_text(encoding="utf-8")
        elif rows.exists():
            lines = rows.read_text(encoding="utf-8", errors="replace").splitlines()
            found[path] = "\n".join(line.split(",", 8)[-1] for line in lines)
        elif path.name in TRANSCRIPTS:
            found[path] = TRANSCRIPTS[path.name]
    return found


def sampled(found: dict[Path, str], only: list[str]) -> Iterator[str]:
    """Yield a table for each folder of samples, with each step in turn."""
    for folder in dict.fromkeys(path.parent for path in found):
        mine = {path: truth for path, truth in found.items() if path.parent == folder}
        yield f"\n{f'{folder.name}, {len(mine)} pages':30}{HEADING}"
        for name, step in STEPS.items():
            if only and step and not set(step) & set(only):
                continue
            score = Score()
            for path, truth in mine.items():
                read(path, step, truth, score)
            yield f"{name:30}{score}"


def main() -> None:
    """Print the tables, row by row."""
    parser = argparse.ArgumentParser(description="Count the words found with and without each preprocessing step.")
    parser.add_argument("--samples", type=Path, help="folder with real pages, each beside its transcript")
    parser.add_argument("--only", nargs="+", default=[], metavar="STEP", help="steps to try, such as deskew")
    arguments = parser.parse_args()
    for line in made_pages(arguments.only):
        print(line, flush=True)
    if arguments.samples:
        for line in sampled(samples(arguments.samples), arguments.only):
            print(line, flush=True)


if __name__ == "__main__":
    main()

"""What each engine reads and costs, on clean scans made here and on samples such as receipts.

    python -m benchmarks.engines --samples DIR [--pages 6] [--only NAME ...]

Samples are images and PDFs with a transcript beside them, as for `benchmarks.preprocess`. The half-and-half row has as
many made pages as samples. CPU seconds are those of one process and include opening the engine; words are compared
without case.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.documents import make_page
from benchmarks.paper import scanned
from benchmarks.preprocess import Score, samples
from inkstream import PipelineOptions, build_pipeline, open_document

ENGINES: dict[str, dict[str, Any]] = {
    "tesseract": {"engine": "tesseract"},
    "ppocr": {"engine": "ppocr", "ppocr": {"scripts": ["latin"]}},
    "auto": {"engine": "auto", "ppocr": {"scripts": ["latin"]}},
}


@dataclass(frozen=True)
class Page:
    """A file of one page and its true text."""

    path: Path
    truth: str


def made_pages(folder: Path, count: int) -> list[Page]:
    """Write clean scans of letters and return them."""
    pages = []
    for seed in range(count):
        sheet, truth = make_page(seed)
        path = folder / f"letter-{seed}.png"
        scanned(sheet, seed).save(path, dpi=(300, 300))
        pages.append(Page(path, truth))
    return pages


def measure(pages: Iterable[Page], recognize: dict[str, Any]) -> Score:
    """Read pages in this process and return the score."""
    pipeline = build_pipeline(PipelineOptions.model_validate({"recognize": recognize}))
    score = Score()
    for page in pages:
        started = time.process_time()
        with open_document(page.path) as document:
            result = pipeline.run(document, 0)
        score.add(page.truth, result.text or "", time.process_time() - started)
    return score


def main() -> None:
    """Print one line per engine for each kind of page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=6, help="number of made pages, and most samples")
    parser.add_argument("--only", nargs="*", default=list(ENGINES), choices=list(ENGINES))
    arguments = parser.parse_args()
    found = [Page(path, truth) for path, truth in samples(arguments.samples).items()][: arguments.pages]
    with tempfile.TemporaryDirectory() as folder:
        letters = made_pages(Path(folder), len(found))
        for kind, pages in (("clean scans", letters), ("samples", found), ("half and half", letters + found)):
            print(f"{kind}, {len(pages)} pages")
            for name in arguments.only:
                print(f"  {name:10}  {measure(pages, ENGINES[name])}", flush=True)


if __name__ == "__main__":
    main()

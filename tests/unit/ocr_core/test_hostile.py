"""Every hostile file there is ends in a status that its manifest allows; nothing escapes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from ocr_core import (
    DocumentError,
    Failure,
    FailureKind,
    LimitOptions,
    PageResult,
    PageWorker,
    PipelineOptions,
)
from ocr_core.options import RecognizeOptions
from tests.unit.ocr_core.conftest import shared

PAGES_TRIED = 3
LIMITS = LimitOptions(page_seconds=60, page_cpu_seconds=10, memory_mb=768)
OPTIONS = PipelineOptions(recognize=RecognizeOptions(time_limit=30))

REFUSED: set[FailureKind | None] = {FailureKind.LIMIT, FailureKind.TIMEOUT, FailureKind.MEMORY}
ALLOWED: dict[str, set[FailureKind | None]] = {
    "OK": {None},
    "OK_SCALED": {None},
    "PARTIAL": {None, FailureKind.CORRUPT},
    "REJECTED_CORRUPT": {FailureKind.CORRUPT},
    "REJECTED_EMPTY": {FailureKind.EMPTY},
    "REJECTED_ENCRYPTED": {FailureKind.ENCRYPTED},
    "REJECTED_LIMIT": REFUSED,
    "REJECTED_UNSUPPORTED": {FailureKind.UNSUPPORTED},
}
EXACTLY: dict[str, tuple[FailureKind | None, tuple[str, ...]]] = {
    "pillow_blend_op_over_near_transparent.png": (None, ("first of 129 frames",)),
    "gen_gif_3000_frames.gif": (None, ("first of 3000 frames",)),
    "pillow_hopper_orientation_6.webp": (None, ()),
    "pillow_decompression_bomb.gif": (FailureKind.LIMIT, ()),
    "ocrmypdf_enormous.pdf": (None, ("rendered at 235 dpi to fit max_pixels",)),
    "gen_zero_pages.pdf": (FailureKind.EMPTY, ()),
}
"""Where the manifest leaves a choice, or says more than a status: the first page's failure and notes."""


def manifest() -> list[tuple[Path, set[FailureKind | None], str, str]]:
    rows = []
    for listing in shared("hostile", "MANIFEST.tsv"):
        with open(listing, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                path = listing.parent / row["file"]
                kinds: set[FailureKind | None] = set()
                for status in row["expected_status"].split("|"):
                    kinds |= ALLOWED[status]
                rows.append((path, kinds, row["expected_pages"], row["expected_detail"]))
    return rows


@pytest.fixture(scope="module")
def worker() -> Iterator[PageWorker]:
    with PageWorker(OPTIONS, LIMITS) as made:
        yield made


def results_of(worker: PageWorker, path: Path) -> tuple[int | None, list[PageResult]]:
    try:
        pages = worker.probe(path).pages
    except DocumentError as error:
        return None, [PageResult(None, None, failure=Failure(error.kind, error.message))]
    return pages, [worker.page(path, number, pages) for number in range(min(pages, PAGES_TRIED))]


def test_every_hostile_file_ends_as_its_manifest_says(worker: PageWorker, subtests: pytest.Subtests) -> None:
    for path, allowed, expected_pages, detail in manifest():
        with subtests.test(path.name):
            pages, results = results_of(worker, path)
            if pages is not None and expected_pages and not allowed & {FailureKind.CORRUPT, FailureKind.EMPTY}:
                assert pages == int(expected_pages)
            for result in results:
                kind = result.failure.kind if result.failure else None
                assert kind in allowed, result.failure
            if path.name in EXACTLY:
                first = results[0]
                assert (first.failure.kind if first.failure else None, first.notes) == EXACTLY[path.name]
            for phrase in (
                "EXIF ROTATED TEXT",
                "ALPHA TEXT ONLY",
                "SIXTEEN BIT GRAY",
                "ACTIVE CONTENT INERT",
            ):
                if phrase in detail:
                    assert results[0].text == phrase


def test_real_samples_are_read(worker: PageWorker, subtests: pytest.Subtests) -> None:
    for path in shared("samples/seed", "*.pdf") + shared("samples/receipts", "0*.jpg"):
        with subtests.test(path.name):
            result = worker.page(path, 0, 1)
            assert result.failure is None
            assert len(result.text or "") > 200
            assert (result.confidence or 0) > 60

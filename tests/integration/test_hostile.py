"""All hostile files in one run: each gets its rows, and none harms a worker or another file."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from inkstream import FailureKind
from inkstream.tasks.paths import encode
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests import generators as make
from tests import picture_generators as pictures
from tests.integration.command import run_json, settings
from tests.places import shared

TIGHT = settings(
    execution__limits__page_seconds=60,  # generous, for a busy machine; the CPU time is tight
    execution__limits__page_cpu_seconds=8,
    execution__limits__memory_mb=768,
    pipeline__recognize__time_limit=30,
    pipeline__text_layer__mode="prefer",
    pipeline__text_layer__min_chars=4,  # "PAGE 0001" is a text layer: 3,000 pages in seconds
)
Kinds = set[FailureKind | None]
OK: Kinds = {None}
ALLOWED: dict[str, Kinds] = {
    "OK": OK,
    "OK_SCALED": OK,
    "PARTIAL": {None, FailureKind.CORRUPT},
    "REJECTED_CORRUPT": {FailureKind.CORRUPT},
    "REJECTED_EMPTY": {FailureKind.EMPTY},
    "REJECTED_ENCRYPTED": {FailureKind.ENCRYPTED},
    "REJECTED_LIMIT": {FailureKind.LIMIT, FailureKind.TIMEOUT, FailureKind.MEMORY},
    "REJECTED_UNSUPPORTED": {FailureKind.UNSUPPORTED},
}
EXACTLY: dict[str, tuple[FailureKind | None, str | None]] = {
    "pillow_blend_op_over_near_transparent.png": (None, "first of 129 frames"),
    "gen_gif_3000_frames.gif": (None, "first of 3000 frames"),
    "pillow_hopper_orientation_6.webp": (None, None),
    "pillow_decompression_bomb.gif": (FailureKind.LIMIT, None),
    "ocrmypdf_enormous.pdf": (None, "rendered at 235 dpi to fit max_pixels"),
    "gen_zero_pages.pdf": (FailureKind.EMPTY, None),
    "tika_testHEIF.heic": (None, None),
}
"""The failure and the notes of files whose status in the manifest is not precise enough."""
PHRASES = ("EXIF ROTATED TEXT", "ALPHA TEXT ONLY", "SIXTEEN BIT GRAY", "ACTIVE CONTENT INERT")
"""What the manifest's detail may name as the text of a file's first page."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The rows that a file may have."""

    kinds: Kinds
    pages: int | None = None
    notes: str | None = None
    text: str | None = None


def generated(folder: Path) -> dict[Path, Expected]:
    """Write one file of each sort: hostile content, damaged content, hostile names, and sound neighbours."""
    long = [f"PAGE {number:04}" for number in range(1, 701)]
    sound = make.born_digital_pdf(folder / "sound.pdf", ["GOOD PAGE"]).read_bytes()
    expected = {
        folder / "sound.pdf": Expected(OK, 1),
        make.born_digital_pdf(folder / "long.pdf", long): Expected(OK, 700),
        make.tiff(folder / "five.tif", [f"TIFF PAGE {n}" for n in range(5)], compression="group4"): Expected(OK, 5),
        make.exif_jpeg(folder / "turned.jpg", 6): Expected(OK, 1),
        make.alpha_png(folder / "alpha.png"): Expected(OK, 1),
        pictures.animation(folder / "moving.gif", "GIF"): Expected(OK, 1, "first of 3 frames"),
        pictures.animation(folder / "moving.webp", "WEBP", frames=4): Expected(OK, 1, "first of 4 frames"),
        pictures.turned(folder / "turned.webp", "WEBP", 6): Expected(OK, 1),
        make.deep_gray(folder / "deep.png"): Expected(OK, 1),
        make.big_page_pdf(folder / "wall.pdf", 14400): Expected({None, FailureKind.LIMIT}, 1),
        make.huge_png(folder / "huge.png", 60_000): Expected({FailureKind.LIMIT, FailureKind.CORRUPT}),
        make.flate_bomb_pdf(folder / "bomb.pdf", 400): Expected({FailureKind.MEMORY, FailureKind.TIMEOUT}, 1),
        make.endless_pattern_pdf(folder / "endless.pdf"): Expected({FailureKind.TIMEOUT}, 1),
    }
    for name, data, kind in (
        ("empty.pdf", b"", FailureKind.EMPTY),
        ("header only.pdf", b"%PDF-1.7\n%%EOF\n", FailureKind.CORRUPT),
        ("cut.pdf", sound[: len(sound) // 2], FailureKind.CORRUPT),
        ("prose.pdf", b"I am no PDF at all.", FailureKind.UNSUPPORTED),
        ("page.gif", b"GIF89a" + bytes(40), FailureKind.CORRUPT),
        ("page.webp", b"RIFF\x08\0\0\0WEBPVP8 ", FailureKind.CORRUPT),
        ("page.j2k", b"\xff\x4f\xff\x51" + bytes(40), FailureKind.CORRUPT),
        ("archive.bmp", b"PK\x03\x04" + bytes(40), FailureKind.UNSUPPORTED),
    ):
        (folder / name).write_bytes(data)
        expected[folder / name] = Expected({kind})
    torn = folder / "torn.pdf"
    torn.write_bytes(sound.rpartition(b"trailer")[0])
    expected[torn] = Expected(OK, 1, "repaired with qpdf")
    for odd in (b"line\nbreak'.pdf", b"bytes\xff\xfe.pdf", b"100%25 #1?.pdf", b"$(touch x);`y`.pdf"):
        path = folder / os.fsdecode(odd)
        path.write_bytes(sound)
        expected[path] = Expected(OK, 1)
    return expected


def shared_corpus() -> dict[Path, Expected]:
    expected = {}
    for listing in shared("hostile", "MANIFEST.tsv"):
        expected[listing] = Expected({FailureKind.UNSUPPORTED})
        with open(listing, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                expected[listing.parent / row["file"]] = _as_listed(row)
    return expected


def _as_listed(row: dict[str, str]) -> Expected:
    kinds = set[FailureKind | None]().union(*(ALLOWED[status] for status in row["expected_status"].split("|")))
    kind, notes = EXACTLY.get(row["file"], (None, None))
    known: Kinds = {kind} if row["file"] in EXACTLY else kinds
    counted = row["expected_pages"] and None in known and not kinds & {FailureKind.CORRUPT, FailureKind.EMPTY}
    text = next((phrase for phrase in PHRASES if phrase in row["expected_detail"]), None)
    return Expected(known, int(row["expected_pages"]) if counted else None, notes, text)


@pytest.fixture(params=["generated", "shared"])
def corpus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[Path, Expected]]:
    if request.param == "generated":
        (tmp_path / "hostile").mkdir()
        yield generated(tmp_path / "hostile")
        return
    found = shared_corpus()
    if not found:
        pytest.skip("the shared hostile files are not here")
    yield found


def test_every_hostile_file_has_its_expected_rows(corpus: dict[Path, Expected], tmp_path: Path) -> None:
    (folder,) = {path.parent for path in corpus}
    run = ["--source", str(folder), "--sink", str(tmp_path / "tables"), *TIGHT]
    *batches, last = run_json(*run, seconds=280)
    assert [batch["left_out"] for batch in batches] == [0]
    assert last["files"] == len(corpus)

    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in PagesTable(str(tmp_path / "tables")).rows().to_pylist():
        rows[row["path"]].append(row)
    assert sum(map(len, rows.values())) == last["pages"]
    assert rows.keys() == {encode("file", os.path.realpath(path)) for path in corpus}
    wrong = {}
    for path, expected in corpus.items():
        file_rows = rows[encode("file", os.path.realpath(path))]
        fault = _fault(file_rows, expected)
        if fault:
            wrong[path.name] = fault, file_rows[:3]
    assert not wrong

    (again,) = run_json(*run)
    assert [again[name] for name in ("batches", "files", "pages", "failed_pages")] == [0, 0, 0, 0]
    assert again["version"] == last["version"]


def _fault(rows: list[dict[str, Any]], expected: Expected) -> str:
    (total,) = {row["total_pages"] for row in rows}
    kinds = {row["exception_kind"] for row in rows}
    rows = sorted(rows, key=lambda row: row["pagenum"] or 0)
    faults = {
        f"not {expected.pages} pages counted": expected.pages not in (None, total),
        "not one row per page": [row["pagenum"] for row in rows] != ([None] if total is None else list(range(total))),
        f"{kinds} where only {expected.kinds} may be": not kinds <= expected.kinds,
        f"not noted: {expected.notes}": expected.notes is not None and {r["notes"] for r in rows} != {expected.notes},
        f"not read: {expected.text}": expected.text not in (None, rows[0]["text"]),
        "text and exception, or neither": any((r["text"] is None) != (r["exception"] is not None) for r in rows),
    }
    return "; ".join(fault for fault, applies in faults.items() if applies)

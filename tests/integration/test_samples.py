"""Both presets on real documents: Spark OCR's sample PDFs and receipts, or generated scans if those are missing."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inkstream.flows.demo.inbox import make_inbox
from inkstream.ocr_core.text.metrics import word_score
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.integration.command import run_json
from tests.places import shared

RECALL_FLOORS = {"ocr-streaming": 0.65, "ocr-regions": 0.54}  # measured on the receipts: 0.70 and 0.60


@dataclass(frozen=True, slots=True)
class Samples:
    """An inbox and its expected text: phrases by (file, page), and the full text of some pages."""

    inbox: Path
    phrases: dict[tuple[str, int], tuple[str, ...]]
    truths: dict[str, str] = field(default_factory=dict)


def generated(inbox: Path) -> Samples:
    make_inbox(inbox)
    (inbox / "damaged.pdf").unlink()
    return Samples(
        inbox,
        {
            ("invoice-scan.pdf", 0): ("HR-2026-0418", "Northgate Conservation Studio", "Bookbinding linen"),
            ("invoice-scan.pdf", 1): ("Terms of sale and delivery", "damage in transit must be reported"),
            ("letter.png", 0): ("eleven volumes", "every page is read by machine"),
            ("minutes-2026-11.pdf", 0): ("Harbour Library",),
            ("minutes-2026-11.pdf", 1): ("4. Digitisation",),
            ("receipt.jpg", 0): ("GREEN LANE GROCERS",),
        },
    )


def real(inbox: Path) -> Samples:
    inbox.mkdir()
    receipts = shared("samples/receipts", "*.jpg")[::2]
    for path in [*shared("samples/seed", "*.pdf"), *receipts]:
        (inbox / path.name).symlink_to(path)
    phrases: dict[tuple[str, int], tuple[str, ...]] = {
        ("budget.pdf", 0): (
            "Budget Provisions, net of receipts and recoveries, for the year 2014-2015 are as under.",
            "(In crores of Rupees)",
        ),
        ("noised.pdf", 0): ("7/16/68", "John H. M. Bohlken", "OLD GOLD STRAIGHT"),
    }
    return Samples(
        inbox,
        phrases | {(path.name, 0): () for path in receipts},
        {path.name: transcript(path.with_suffix(".csv")) for path in receipts},
    )


def transcript(path: Path) -> str:
    """Return a receipt's lines: the text after the eight numbers of each line's box."""
    with path.open(newline="", encoding="utf-8") as file:
        return "\n".join(",".join(row[8:]) for row in csv.reader(file, quoting=csv.QUOTE_NONE))


@pytest.fixture
def samples(tmp_path: Path) -> Samples:
    make = real if shared("samples/seed", "*.pdf") and shared("samples/receipts", "*.jpg") else generated
    return make(tmp_path / "inbox")


@pytest.mark.parametrize("preset", list(RECALL_FLOORS))
def test_a_preset_reads_the_samples(preset: str, samples: Samples, tmp_path: Path) -> None:
    begun = datetime.now(UTC)
    tables = str(tmp_path / "tables")
    last = run_json("--preset", preset, "--source", samples.inbox, "--sink", tables, seconds=240)[-1]
    assert (last["pages"], last["failed_pages"]) == (len(samples.phrases), 0)

    rows = PagesTable(tables).rows().to_pylist()
    texts = {(row["path"].rpartition("/")[2], row["pagenum"]): row["text"] for row in rows}
    assert texts.keys() == samples.phrases.keys()
    for page, phrases in samples.phrases.items():
        for phrase in phrases:
            assert phrase in " ".join(texts[page].split()), page
    for row in rows:
        assert begun <= row["timestamp"] <= datetime.now(UTC)
        assert 40 < row["confidence"] <= 100
        assert row["engine"] == "tesseract"

    recalls = [word_score(truth.upper(), texts[name, 0].upper()).recall for name, truth in samples.truths.items()]
    if recalls:
        assert sum(recalls) / len(recalls) > RECALL_FLOORS[preset]

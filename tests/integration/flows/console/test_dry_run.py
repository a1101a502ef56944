"""`inkstream run --dry-run` and `--limit`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inkstream.flows.under_prefect.ocr_stream import ocr_stream
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream, run_json, settings

pytestmark = pytest.mark.usefixtures("shared_workers")

CHEAP = settings(pipeline__text_layer__mode="only", execution__workers=1, trigger__max_files_per_trigger=2)


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    (tmp_path / "inbox").mkdir()
    for number in range(5):
        (tmp_path / "inbox" / f"{number}.pdf").write_bytes(tiny_pdf(f"the text of {number}"))
    return ["--source", str(tmp_path / "inbox"), "--sink", str(tmp_path / "tables"), *CHEAP]


def test_a_dry_run_predicts_what_the_run_does(places: list[str], tmp_path: Path) -> None:
    done = inkstream("run", *places, "--dry-run", "--limit", "3", "--json")
    *batches, sums = [json.loads(line) for line in done.stdout.splitlines()]
    size = (tmp_path / "inbox/0.pdf").stat().st_size
    none: dict[str, Any] = {"skipped": {}, "skipped_examples": {}}
    assert sums == {"dry_run": True, "listed": 5, "batches": 2, "files": 3, "bytes": 3 * size, "waiting": 2, **none}
    assert [batch["files"] for batch in batches] == [2, 1]
    assert not (tmp_path / "tables").exists(), "nothing is written"

    *reports, total = run_json(*places, "--limit", "3")
    assert [batch["numInputRows"] for batch in reports] == [2, 1]
    rows = inkstream("show", tmp_path / "tables", "--json").stdout.splitlines()
    assert {json.loads(row)["path"] for row in rows} == {path for batch in batches for path in batch["paths"]}
    assert total["files"] == 3

    shown = inkstream("run", *places, "--dry-run").stdout
    assert "2 new files of 5" in shown
    assert "4.pdf" in shown
    assert "3.pdf" in shown
    assert "2.pdf" not in shown
    done = inkstream("run", *places, "--limit", "1", "--prefect", "off")
    assert "1 new file," in done.stdout
    assert "1 more wait for a later run" in done.stdout
    assert run_json(*places)[-1]["files"] == 1
    assert "0 new files of 5" in inkstream("run", *places, "--dry-run").stdout


def test_wrong_options_and_missing_languages_are_refused(places: list[str]) -> None:
    assert "leave --every out" in inkstream("run", *places, "--dry-run", "--every", "1s", code=2).stderr
    inkstream("run", *places, "--limit", "0", code=2)
    broken = settings(pipeline__recognize__languages="[xyz]", pipeline__text_layer__mode="prefer")
    assert "remedy" in inkstream("run", *places, *broken, "--dry-run", code=4).stderr


def test_the_flow_has_a_limit_of_at_least_1() -> None:
    assert ocr_stream.parameters.properties["limit"]["anyOf"][0]["minimum"] == 1

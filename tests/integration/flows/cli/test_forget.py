"""`inkstream forget`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.command import inkstream, run_json
from tests.integration.flows.conftest import SmallSink


def test_forget_needs_confirmation_and_a_dry_run_changes_nothing(small_sink: SmallSink) -> None:
    refused = inkstream("forget", small_sink.url, "a.pdf", code=2)
    assert "this is not a terminal: add --yes" in refused.stderr
    assert (
        "1 file version with 2 rows\nnothing was changed\n"
        in inkstream("forget", small_sink.url, "a.pdf", "--dry-run").stdout
    )


def test_forget_prints_which_versions_still_hold_the_text(own_sink: SmallSink) -> None:
    shown = inkstream("forget", own_sink.url, "a.pdf", "--yes").stdout
    assert "forgot 1 file version and removed 0 overlays; table version 3" in shown
    assert "versions 1 to 2 of the table still hold their text until a vacuum" in shown
    assert f"  inkstream maintain {own_sink.url} --retention 24h" in shown
    again = json.loads(inkstream("forget", own_sink.url, "a.pdf", "--yes", "--json").stdout)
    assert (again["files"], again["forgotten"]) == ([], False)


@pytest.mark.usefixtures("shared_workers")
def test_a_name_is_found_as_it_is_typed_although_the_store_has_the_other_normal_form(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "Mu\u0308ller.pdf").write_bytes(b"%PDF-1.4\nnothing more")
    sink = tmp_path / "tables"
    (summary,) = run_json("--source", tmp_path / "inbox", "--sink", sink, "--set", "source.glob=M\u00fc*")[-1:]
    assert summary["files"] == 1
    again = inkstream("retry", sink, "--path", "M\u00fcller.pdf", "--dry-run").stdout
    assert "1 of 1 file would be read again" in again
    assert "forgot 1 file version" in inkstream("forget", sink, "M\u00fcller.pdf", "--yes").stdout


def test_a_file_without_rows_is_an_error(small_sink: SmallSink) -> None:
    message = inkstream("forget", small_sink.url, "nosuch.pdf", "--yes", code=2).stderr
    assert f"has no rows of nosuch.pdf; `inkstream show {small_sink.url}` lists file names" in message

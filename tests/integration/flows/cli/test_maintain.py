"""`inkstream maintain`."""

from __future__ import annotations

import json

from tests.integration.command import inkstream
from tests.integration.flows.conftest import SmallSink


def test_a_dry_run_says_what_would_be_done(own_sink: SmallSink) -> None:
    dry = ["maintain", own_sink.url, "--dry-run", "--prefect", "off"]
    pages, _, overlays = inkstream(*dry).stdout.splitlines()
    assert pages == "pages: would merge 2 files into 1; nothing to remove"
    assert overlays == "overlays: nothing to remove"
    parts = [json.loads(line) for line in inkstream(*dry, "--json").stdout.splitlines()]
    assert [(part["name"], part["dry_run"]) for part in parts] == [("pages", True), ("files", True), ("overlays", True)]
    done = inkstream("maintain", own_sink.url, "--prefect", "off").stdout
    assert "pages: merged 2 files into 1; nothing to remove; version 3, with a checkpoint" in done


def test_a_short_retention_is_refused(small_sink: SmallSink) -> None:
    assert "24h" in inkstream("maintain", small_sink.url, "--retention", "1h", code=2).stderr

"""`inkstream status`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.integration.command import inkstream
from tests.integration.flows.conftest import SmallSink


def _read_from(sink: SmallSink, folder: Path) -> None:
    """Change the source that is stored in a sink."""
    config = sink.folder / "tables" / "streams" / "main.json"
    options = json.loads(config.read_text())
    options["source"]["url"] = str(folder)
    config.write_text(json.dumps(options))


def test_status_prints_the_state_of_a_sink(small_sink: SmallSink) -> None:
    shown = inkstream("status", small_sink.url).stdout
    for line in ("  version 2; the oldest readable version is 0", "  5 rows, ", "  waiting: nothing"):
        assert line in shown
    assert "  in the table: 5 pages, 1 of them failed\n    1 corrupt in 1 file\n" in shown
    state = json.loads(inkstream("status", small_sink.url, "--json", "--batches", "1").stdout)
    assert state["table"]["version"] == 2
    assert [batch["batch_id"] for batch in state["streams"][0]["batches"]] == [1]


def test_status_counts_what_the_next_run_will_not_read(own_sink: SmallSink) -> None:
    (own_sink.folder / "inbox" / "_DSC0042.png").write_bytes(b"x")
    _read_from(own_sink, own_sink.folder / "inbox")
    line = "  not read: 1 file whose name begins with _ or .: _DSC0042.png\n"
    assert line in inkstream("status", own_sink.url).stdout
    (stream,) = json.loads(inkstream("status", own_sink.url, "--json").stdout)["streams"]
    assert (stream["skipped"], stream["skipped_examples"]) == ({"hidden": 1}, {"hidden": ["_DSC0042.png"]})


def test_the_rest_is_shown_if_the_source_cannot_be_listed(own_sink: SmallSink) -> None:
    _read_from(own_sink, own_sink.folder / "gone")
    shutil.rmtree(own_sink.folder / "inbox")
    assert "waiting: unknown: there is no folder" in inkstream("status", own_sink.url, code=5).stdout

"""What `inkstream status` prints."""

from __future__ import annotations

import json

import pytest

from inkstream.flows.console.status import print_status
from tests.faults.documents import tiny_pdf
from tests.integration.flows.conftest import SmallSink


def test_status_prints_the_backlog_of_the_source(own_sink: SmallSink, capsys: pytest.CaptureFixture[str]) -> None:
    options = json.loads((own_sink.folder / "tables" / "streams" / "main.json").read_text())
    options["source"] |= {"url": str(own_sink.folder / "inbox"), "glob": "new*"}
    (own_sink.folder / "tables" / "streams" / "main.json").write_text(json.dumps(options))
    (own_sink.folder / "inbox" / "new.pdf").write_bytes(tiny_pdf("something new"))
    assert print_status(own_sink.url, None, 1, as_json=False)
    shown = capsys.readouterr().out
    assert "waiting: 1 file, " in shown
    assert "; the oldest, new.pdf, is " in shown
    (line,) = (line for line in shown.splitlines() if line.split()[:1] == ["1"] and "ago" in line)
    assert line.split()[-4:-1] == ["1", "1", "0"]

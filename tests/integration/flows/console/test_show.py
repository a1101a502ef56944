"""What `inkstream show` prints."""

from __future__ import annotations

import json

import pytest

from inkstream.flows.console.show import print_show
from tests.integration.flows.conftest import SmallSink


def test_rows_are_printed_as_text_and_as_json(small_sink: SmallSink, capsys: pytest.CaptureFixture[str]) -> None:
    print_show(small_sink.url, None, 20, as_json=False)
    shown = capsys.readouterr().out
    assert "with space #1.pdf" in shown
    assert "second page of a" in shown
    assert "corrupt: the PDF is damaged" in shown
    print_show(small_sink.url, None, 20, as_json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["exception_kind"] for row in rows} == {None, "corrupt"}
    assert any(row["path"].endswith("/with%20space%20%231.pdf") for row in rows)
    assert len(rows) == 5

"""`inkstream show`."""

from __future__ import annotations

import json

from tests.integration.command import inkstream
from tests.integration.flows.conftest import SmallSink


def test_the_newest_rows_come_first_and_the_table_is_named(small_sink: SmallSink) -> None:
    *_, row, origin = inkstream("show", small_sink.url, "--limit", "1").stdout.splitlines()
    assert "the text that came late" in row
    assert origin.startswith("version 2 of ")
    assert origin.endswith("tables/pages")


def test_show_reads_an_earlier_version(small_sink: SmallSink) -> None:
    lines = inkstream("show", small_sink.url, "--json", "--version", "1").stdout.splitlines()
    texts = {json.loads(line)["text"] for line in lines}
    assert texts == {"first page of a", "second page of a", "the whole text of b", None}


def test_a_missing_table_or_version_is_an_error(small_sink: SmallSink) -> None:
    assert "no table" in inkstream("show", small_sink.folder / "inbox", code=2).stderr
    assert "version" in inkstream("show", small_sink.url, "--version", "9999", code=2).stderr

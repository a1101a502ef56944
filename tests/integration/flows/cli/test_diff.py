"""`inkstream diff`."""

from __future__ import annotations

import json

from tests.integration.command import inkstream
from tests.integration.flows.conftest import SmallSink


def test_pages_added_since_a_version_are_listed(small_sink: SmallSink) -> None:
    shown = inkstream("diff", small_sink.url, "--from", "1").stdout
    assert shown.splitlines() == ["from version 1 to 2:", "        1 page added"]
    assert "  no differences" in inkstream("diff", small_sink.url, "--from", "2").stdout
    page, total = map(json.loads, inkstream("diff", small_sink.url, "--from", "1", "--json").stdout.splitlines())
    assert (page["change"], page["pagenum"], page["after"]["text"]) == ("added", 0, "the text that came late")
    assert (total["from"], total["to"], total["pages"]["added"]) == (1, 2, 1)


def test_an_unknown_version_is_an_error(small_sink: SmallSink) -> None:
    assert "version" in inkstream("diff", small_sink.url, "--from", "99", code=2).stderr

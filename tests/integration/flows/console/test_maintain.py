"""What `inkstream maintain` prints."""

from __future__ import annotations

import pytest

from inkstream.flows.console.maintain import print_maintain
from inkstream.tasks.config import MaintainOptions
from tests.integration.flows.conftest import SmallSink


def test_a_second_maintenance_has_nothing_to_do(own_sink: SmallSink, capsys: pytest.CaptureFixture[str]) -> None:
    print_maintain(own_sink.url, MaintainOptions(), "off", as_json=False)
    assert capsys.readouterr().out.startswith("pages: merged 2 files into 1; nothing to remove; version 3, ")
    print_maintain(own_sink.url, MaintainOptions(), "off", as_json=False)
    assert capsys.readouterr().out.startswith("pages: nothing to merge; nothing to remove; version 3, ")

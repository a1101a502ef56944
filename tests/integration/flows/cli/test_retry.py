"""`inkstream retry`."""

from __future__ import annotations

import json

import pytest

from tests.integration.command import inkstream
from tests.integration.flows.conftest import SmallSink

pytestmark = pytest.mark.usefixtures("shared_workers")


def test_only_failed_files_are_read_again(own_sink: SmallSink) -> None:
    (planned,) = inkstream("retry", own_sink.url, "--dry-run", "--json").stdout.splitlines()
    assert json.loads(planned)["path"].endswith("/damaged.pdf")
    shown = inkstream("retry", own_sink.url, "--dry-run").stdout
    assert "1 corrupt" in shown
    assert shown.endswith("1 of 4 files would be read again; nothing was changed\n")
    done = inkstream("retry", own_sink.url, "--prefect", "off").stdout
    assert done.startswith("1 file to read again, ")


def test_a_kind_without_failures_reads_nothing_again(small_sink: SmallSink) -> None:
    done = inkstream("retry", small_sink.url, "--kind", "timeout", "--prefect", "off")
    assert done.stdout.startswith("nothing to read again; the table is at version 2")
    assert "Invalid value for '--kind'" in inkstream("retry", small_sink.url, "--kind", "tired", code=2).stderr

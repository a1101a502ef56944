"""`inkstream reprocess`."""

from __future__ import annotations

import json

from tests.integration.command import inkstream
from tests.integration.flows.conftest import SmallSink

WIDE = ["--set", "pipeline.render.resolution=400"]


def test_files_read_by_another_pipeline_are_planned(small_sink: SmallSink) -> None:
    same = inkstream("reprocess", small_sink.url, "--dry-run").stdout
    assert same == "0 of 4 files would be read again; nothing was changed\n"
    lines = inkstream("reprocess", small_sink.url, *WIDE, "--path", "a*", "--dry-run", "--json").stdout.splitlines()
    (file,) = map(json.loads, lines)
    assert (file["path"].rpartition("/")[2], file["pages"]) == ("a.pdf", None)
    shown = inkstream("reprocess", small_sink.url, *WIDE, "--dry-run").stdout
    assert f"made by pipeline {file['pipeline_id']}" in shown
    assert shown.endswith("4 of 4 files would be read again; nothing was changed\n")


def test_an_unknown_stream_is_an_error(small_sink: SmallSink) -> None:
    assert "there are: main" in inkstream("reprocess", small_sink.url, "--stream", "other", code=2).stderr

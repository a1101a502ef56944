"""`inkstream export`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.command import inkstream
from tests.integration.flows.conftest import SmallSink


def test_a_document_that_cannot_be_exported_is_exit_code_3(small_sink: SmallSink, tmp_path: Path) -> None:
    paths = ["--path", "damaged.pdf", "--path", "late.pdf"]
    done = inkstream("export", small_sink.url, "--format", "pdf", "--output", tmp_path, *paths, code=3)
    assert done.stdout == f"1 file, 1 page (0 of them could not be read) in {tmp_path}\n"
    assert done.stderr.endswith("1 file not exported\n")


def test_json_has_one_line_per_file_and_the_totals(small_sink: SmallSink, tmp_path: Path) -> None:
    done = inkstream("export", small_sink.url, "--format", "text", "--output", tmp_path, "--json")
    *files, totals = map(json.loads, done.stdout.splitlines())
    assert len(files) == 4
    assert totals == {"files": 4, "pages": 5, "failed_pages": 1, "not_exported": 0, "output": str(tmp_path)}

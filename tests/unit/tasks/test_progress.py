"""The summary of a run, and the sum of several."""

from __future__ import annotations

from datetime import datetime

from inkstream.tasks.model import Unsettled
from inkstream.tasks.progress import Summary, timestamp


def test_summaries_add_up_except_for_unsettled_files() -> None:
    whole = Summary(table="t", batches=1, files=2, pages=3, left_out={"a": "busy"}, version=1)
    waiting = {"c": Unsettled("?")}
    whole.add(Summary(table="t", batches=1, pages=4, left_out={"b": "gone"}, unsettled=waiting, version=3))
    assert (whole.batches, whole.files, whole.pages, whole.version) == (2, 2, 7, 3)
    assert (whole.left_out, dict(whole.unsettled)) == ({"a": "busy", "b": "gone"}, {})


def test_the_json_counts_files_without_naming_them() -> None:
    shown = Summary(table="t", left_out={"secret.pdf": "busy"}, unsettled={"secret.pdf": Unsettled("?")}).to_json()
    assert shown["left_out"] == 1
    assert "secret" not in str(shown)
    assert shown["version"] == -1


def test_timestamps_have_the_format_of_sparks_progress_reports() -> None:
    written = timestamp()
    assert written.endswith("Z")
    assert len(written) == len("2026-11-21T05:40:16.123Z")
    assert datetime.fromisoformat(written).tzinfo is not None

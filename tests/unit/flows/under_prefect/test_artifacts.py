"""Artifacts of a run, without a server: their keys, and that their errors never end a run."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from inkstream.flows.under_prefect.artifacts import RunArtifacts, artifact_key
from inkstream.tasks.progress import BatchDone, Listed, Notice
from inkstream.tasks.skipped import Skipped, SkipReason


def test_artifact_keys_have_the_form_that_prefect_accepts() -> None:
    assert artifact_key("Letters_2026.v1", "files") == "inkstream-letters-2026-v1-files"


def test_the_log_and_the_summary_say_what_was_not_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[str] = []
    monkeypatch.setattr("prefect.logging.get_run_logger", lambda: logging.getLogger("a run"))
    monkeypatch.setattr("prefect.artifacts.create_markdown_artifact", lambda text, **_: made.append(text))
    monkeypatch.setattr("prefect.artifacts.create_table_artifact", lambda *_, **__: None)
    monkeypatch.setattr(RunArtifacts, "_draw_bar", lambda _: None)
    monkeypatch.setattr(RunArtifacts, "_last_batches", lambda _: [])
    caplog.set_level(logging.INFO, logger="a run")
    skipped = Skipped()
    skipped.add(SkipReason.GLOB, "a|b_c.txt")
    progress: dict[str, Any] = {
        "batchId": 0,
        "numInputRows": 1,
        "pages": 1,
        "failed_pages": 0,
        "failures": {},
        "left_out": 0,
        "skipped": skipped.to_json(),
        "durationMs": {"triggerExecution": 1000},
        "timestamp": "now",
        "sink": {"description": "delta t"},
        "version": 1,
    }
    artifacts = RunArtifacts("letters")
    artifacts(Listed(1, 1, 1, skipped=skipped))
    artifacts(BatchDone("one", progress, ()))
    assert caplog.messages[0] == "not read: 1 file outside source.glob: a|b_c.txt"
    assert "## Not read\n\n| reason | count | such as |\n|---|---|---|\n| glob | 1 | a\\|b\\_c.txt |\n" in made[0]


def test_errors_in_artifacts_do_not_end_the_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("prefect.logging.get_run_logger", lambda: logging.getLogger("a run"))
    caplog.set_level(logging.INFO, logger="a run")
    artifacts = RunArtifacts("letters")
    artifacts(Notice("shown"))
    artifacts(BatchDone("one", {}, ()))  # a report without numbers, which cannot be shown
    artifacts(BatchDone("two", {}, ()))
    artifacts(Notice("no longer shown"))
    assert caplog.messages == ["shown", "this run shows no more artifacts and goes on reading: KeyError"]

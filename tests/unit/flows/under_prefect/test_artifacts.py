"""Artifacts of a run, without a server: their keys, and that their errors never end a run."""

from __future__ import annotations

import logging

import pytest

from inkstream.flows.under_prefect.artifacts import RunArtifacts, artifact_key
from inkstream.tasks.progress import BatchDone, Notice


def test_artifact_keys_have_the_form_that_prefect_accepts() -> None:
    assert artifact_key("Letters_2026.v1", "files") == "inkstream-letters-2026-v1-files"


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

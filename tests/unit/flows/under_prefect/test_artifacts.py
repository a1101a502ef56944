"""Artifacts of a run, without a server: their keys, and that their errors never end a run."""

from __future__ import annotations

from prefect.logging import disable_run_logger

from inkstream.flows.under_prefect.artifacts import RunArtifacts, artifact_key
from inkstream.tasks.progress import BatchDone


def test_artifact_keys_have_the_form_that_prefect_accepts() -> None:
    assert artifact_key("Letters_2026.v1", "files") == "inkstream-letters-2026-v1-files"


def test_errors_in_artifacts_do_not_end_the_run() -> None:
    with disable_run_logger():
        artifacts = RunArtifacts("letters")
        artifacts(BatchDone("one", {}, ()))
        artifacts(BatchDone("two", {}, ()))

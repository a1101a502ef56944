"""Artifacts of a run, without a server: their names, and that they never end a run."""

from __future__ import annotations

from prefect.logging import disable_run_logger

from inkstream.flows.under_prefect.artifacts import RunArtifacts, artifact_key
from inkstream.tasks.progress import BatchDone


def test_keys_are_what_prefect_takes() -> None:
    assert artifact_key("Letters_2026.v1", "files") == "inkstream-letters-2026-v1-files"


def test_what_goes_wrong_in_it_ends_no_run() -> None:
    with disable_run_logger():
        artifacts = RunArtifacts("letters")
        artifacts(BatchDone("one", {}, ()))
        artifacts(BatchDone("two", {}, ()))

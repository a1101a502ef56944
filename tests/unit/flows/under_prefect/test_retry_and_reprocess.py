"""The forms of `retry` and `reprocess`."""

from __future__ import annotations

from inkstream.flows.under_prefect.retry_and_reprocess import reprocess, retry
from inkstream.ocr_core.errors import FailureKind


def test_a_person_chooses_failures_by_their_kinds_and_files_by_their_paths() -> None:
    form = retry.parameters
    names = sorted(form.properties, key=lambda name: form.properties[name]["position"])
    assert names == ["kinds", "paths", "overrides", "config"]
    assert form.required == ["config"]
    assert form.definitions["FailureKind"]["enum"] == list(FailureKind)
    assert form.properties["paths"]["items"] == {"type": "string"}


def test_a_person_chooses_files_and_a_preset_to_read_them_with() -> None:
    form = reprocess.parameters
    names = sorted(form.properties, key=lambda name: form.properties[name]["position"])
    assert names == ["paths", "preset", "config"]
    assert form.required == ["config"]

"""The forms of `retry` and `reprocess`."""

from __future__ import annotations

from inkstream.flows.under_prefect.retry_and_reprocess import reprocess, retry
from inkstream.ocr_core.errors import FailureKind


def test_the_form_of_retry_offers_kinds_and_paths() -> None:
    form = retry.parameters
    names = sorted(form.properties, key=lambda name: form.properties[name]["position"])
    assert names == ["kinds", "paths", "overrides", "config"]
    assert form.required == ["config"]
    assert form.definitions["FailureKind"]["enum"] == list(FailureKind)
    assert form.properties["paths"]["items"] == {"type": "string"}


def test_the_form_of_reprocess_offers_paths_and_a_preset() -> None:
    form = reprocess.parameters
    names = sorted(form.properties, key=lambda name: form.properties[name]["position"])
    assert names == ["paths", "preset", "config"]
    assert form.required == ["config"]

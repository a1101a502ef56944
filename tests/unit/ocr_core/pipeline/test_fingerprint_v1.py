"""The table of version 1 matches the options of that time, and each option that still exists means the same."""

from __future__ import annotations

from typing import Any

from inkstream import PipelineOptions
from inkstream.ocr_core.pipeline.fingerprint_v1 import OPTIONAL, OPTIONS


def test_the_defaults_match_those_frozen_in_version_1() -> None:
    """A changed default makes new ids, because the text changes; the table keeps the old meaning of each option."""
    given: dict[str, Any] = {path: {} for path in OPTIONAL if "." not in path}
    steps: dict[str, Any] = {path.partition(".")[2]: {} for path in OPTIONAL if "." in path}
    now = PipelineOptions.model_validate({**given, "preprocess": steps}).model_dump(mode="json")
    since = {"mode": "verify", "invisible": "drop"}
    assert now == {**OPTIONS, "text_layer": {**OPTIONS["text_layer"], **since}}


def test_the_optional_sections_are_null_by_default() -> None:
    now = PipelineOptions().model_dump(mode="json")
    assert {name for name, value in now.items() if value is None} - {"pages"} == {p for p in OPTIONAL if "." not in p}
    steps = {f"preprocess.{name}" for name, value in now["preprocess"].items() if value is None}
    assert steps == {path for path in OPTIONAL if "." in path}

"""A row's `pipeline_id` does not change when Inkstream gets new options."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field, create_model

from inkstream import PipelineOptions, pipeline_id
from inkstream.ocr_core.options import Options, PreprocessOptions, RecognizeOptions, TrocrOptions
from inkstream.ocr_core.pipeline import fingerprint
from inkstream.ocr_core.pipeline.fingerprint_v1 import OPTIONAL, OPTIONS

GOLDEN = json.loads(Path(__file__).with_name("golden_ids.json").read_text())
"""Ids from the last version whose fingerprint covered every option; text layers were preferred by default then."""
VERSIONS = GOLDEN["versions"]


def id_of(given: dict[str, Any], model: type[PipelineOptions] = PipelineOptions) -> str:
    return pipeline_id(model.model_validate(given), VERSIONS)


@pytest.mark.parametrize("golden", GOLDEN["pipelines"], ids=lambda golden: golden["name"])
def test_pipeline_ids_match_those_of_existing_rows(golden: dict[str, Any]) -> None:
    assert id_of(golden["pipeline"]) == golden["id"]


class SharpenOptions(Options):
    """A step that does not exist."""

    strength: float = 1.0
    radius: int = 2


def with_new_options() -> type[PipelineOptions]:
    """Return options as a later version may have them: new ones at every depth."""
    preprocess = create_model(
        "LaterPreprocess",
        __base__=PreprocessOptions,
        sharpen=(SharpenOptions | None, None),
        smooth=(SharpenOptions, SharpenOptions()),
    )
    trocr = create_model("LaterTrocr", __base__=TrocrOptions, length_penalty=(float, 1.0))
    recognize = create_model(
        "LaterRecognize", __base__=RecognizeOptions, trocr=(trocr, trocr()), hyphens=(str, Field("keep"))
    )
    return create_model(
        "LaterPipeline",
        __base__=PipelineOptions,
        preprocess=(preprocess, preprocess()),
        recognize=(recognize, recognize()),
        rotate=(int, 0),
    )


@pytest.mark.parametrize("golden", GOLDEN["pipelines"], ids=lambda golden: golden["name"])
def test_a_new_option_at_its_default_changes_no_id(golden: dict[str, Any]) -> None:
    assert id_of(golden["pipeline"], with_new_options()) == golden["id"]


@pytest.mark.parametrize(
    "given",
    [
        {"rotate": 90},
        {"preprocess": {"sharpen": {}}},
        {"preprocess": {"sharpen": {"strength": 3}}},
        {"preprocess": {"smooth": {"radius": 5}}},
        {"recognize": {"hyphens": "join"}},
        {"recognize": {"engine": "trocr", "trocr": {"length_penalty": 2}}},
    ],
)
def test_a_new_option_changes_the_id_where_it_is_set(given: dict[str, Any]) -> None:
    later = with_new_options()
    assert id_of(given, later) not in {golden["id"] for golden in GOLDEN["pipelines"]}
    assert id_of(given, later) != id_of({"preprocess": {"sharpen": {"radius": 9}}}, later)


def test_a_new_option_in_an_optional_section_changes_no_id() -> None:
    wider = create_model("Wider", __base__=SharpenOptions, kernel=(str, "gauss"))
    before = create_model("Before", __base__=PipelineOptions, sharpen=(SharpenOptions | None, None))
    after = create_model("After", __base__=PipelineOptions, sharpen=(wider | None, None))
    given = {"sharpen": {"strength": 2}}
    assert id_of(given, before) == id_of(given, after) != id_of({}, after)
    assert id_of({"sharpen": {"strength": 2, "kernel": "box"}}, after) != id_of(given, after)


def test_a_new_option_of_an_unused_engine_changes_no_id() -> None:
    assert id_of({"recognize": {"trocr": {"length_penalty": 2}}}, with_new_options()) == id_of({})


def test_a_removed_option_keeps_its_old_default_in_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprint, "OPTIONS", {**OPTIONS, "gone": 5, "section": {"size": 1}})
    with_both = id_of({})
    later = create_model("Revived", __base__=PipelineOptions, gone=(int, 5))
    assert with_both == id_of({}, later) != id_of({"gone": 6}, later)
    monkeypatch.setattr(fingerprint, "OPTIONAL", OPTIONAL | {"section"})
    assert id_of({}) != with_both, "a removed optional section counts as null"

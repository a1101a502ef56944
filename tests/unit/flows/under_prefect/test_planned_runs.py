"""Planners have the same fields as the forms of their flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import pytest

from inkstream.flows.loop.planners import AnnouncedFiles, FailedPages, NewFiles, OtherPipeline, Planner
from inkstream.flows.under_prefect.planned_runs import FLOWS, run_planner
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_config

CONFIG = build_config({"source": {"url": "inbox"}, "sink": {"url": "tables"}})
OF_THE_FORM_ALONE = {"config", "preset"}


@dataclass(frozen=True, slots=True)
class Somebodys(NewFiles):
    """A planner that a user wrote."""

    kind: ClassVar[str] = "somebodys"


@pytest.mark.parametrize("planner", [NewFiles, FailedPages, OtherPipeline])
def test_a_planners_fields_are_the_parameters_of_its_flow(planner: Any) -> None:
    form: dict[str, Any] = FLOWS[planner.kind].parameters.properties
    assert {field.name for field in fields(planner)} == form.keys() - OF_THE_FORM_ALONE
    assert {field["title"] for field in form.values()} == form.keys(), "a person sees the names and no machinery"


@pytest.mark.parametrize("planner", [AnnouncedFiles([]), Somebodys()])
def test_a_planner_without_a_flow_is_refused_and_does_not_become_another(planner: Planner) -> None:
    with pytest.raises(ConfigError) as caught:
        run_planner(CONFIG, planner)
    assert str(caught.value).startswith(f"the planner '{planner.kind}' has no Prefect flow")
    known: Sequence[str] = ("new_files", "failed_pages", "other_pipeline")
    assert all(kind in str(caught.value) for kind in known)


def test_no_two_planners_have_one_kind() -> None:
    planners = (NewFiles, AnnouncedFiles, FailedPages, OtherPipeline)
    assert len({planner.kind for planner in planners}) == len(planners)

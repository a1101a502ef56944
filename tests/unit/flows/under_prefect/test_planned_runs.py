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
ONLY_IN_THE_FORM = {"config", "preset"}


@dataclass(frozen=True, slots=True)
class CustomPlanner(NewFiles):
    """A planner that a user wrote."""

    kind: ClassVar[str] = "custom"


@pytest.mark.parametrize("planner", [NewFiles, FailedPages, OtherPipeline])
def test_a_planners_fields_are_the_parameters_of_its_flow(planner: Any) -> None:
    form: dict[str, Any] = FLOWS[planner.kind].parameters.properties
    assert {field.name for field in fields(planner)} == form.keys() - ONLY_IN_THE_FORM
    assert {field["title"] for field in form.values()} == form.keys(), "the form shows the plain names"


@pytest.mark.parametrize("planner", [AnnouncedFiles([]), CustomPlanner()])
def test_a_planner_without_a_flow_is_refused(planner: Planner) -> None:
    with pytest.raises(ConfigError) as caught:
        run_planner(CONFIG, planner)
    assert str(caught.value).startswith(f"the planner '{planner.kind}' has no Prefect flow")
    known: Sequence[str] = ("new_files", "failed_pages", "other_pipeline")
    assert all(kind in str(caught.value) for kind in known)


def test_each_planner_has_its_own_kind() -> None:
    planners = (NewFiles, AnnouncedFiles, FailedPages, OtherPipeline)
    assert len({planner.kind for planner in planners}) == len(planners)

"""The presets: each changes only its own options, and forms offer them as choices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import TypeAdapter

from inkstream.tasks.config import PresetName, build_config, plain
from inkstream.tasks.presets import PRESETS

PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}


def leaves(part: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if not isinstance(part, Mapping):
        return {path: part}
    return {below: value for key, item in part.items() for below, value in leaves(item, (*path, key)).items()}


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_changes_what_it_names_and_nothing_else(name: str) -> None:
    before, after = leaves(plain(build_config(PLACES))), leaves(plain(build_config(PLACES, preset=name)))
    named = leaves(PRESETS[name])
    assert {path: after[path] for path in named} == named
    sections = {path[:-1] for path in named}
    others = {path: value for path, value in after.items() if path in before and path[:-1] not in sections}
    assert others == {path: before[path] for path in others}


def test_forms_offer_the_presets_as_choices() -> None:
    assert TypeAdapter(PresetName).json_schema()["enum"] == ["ocr-streaming", "ocr-regions", "handwritten"]

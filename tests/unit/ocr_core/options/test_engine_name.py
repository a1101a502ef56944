"""Options that name an engine."""

from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from inkstream.ocr_core.options.engine_name import EngineName


def adapter(*added: str, looked_up: list[str] | None = None) -> TypeAdapter[str]:
    def names() -> tuple[str, ...]:
        if looked_up is not None:
            looked_up.append("metadata")
        return added

    return TypeAdapter(Annotated[str, EngineName(lambda: ("one", "two"), names)])


def test_known_names_are_accepted_and_an_unknown_name_lists_them() -> None:
    assert [adapter("three").validate_python(name) for name in ("one", "three")] == ["one", "three"]
    with pytest.raises(ValidationError, match="Input should be 'one', 'two' or 'three'"):
        adapter("three").validate_python("four")
    with pytest.raises(ValidationError, match="valid string"):
        adapter().validate_python(5)


def test_a_built_in_name_does_not_look_up_added_packages() -> None:
    looked_up: list[str] = []
    adapter("three", looked_up=looked_up).validate_python("two")
    assert looked_up == []


def test_the_schema_lists_built_in_and_added_names() -> None:
    assert adapter("three").json_schema() == {"type": "string", "enum": ["one", "two", "three"]}

"""Options that name an engine: a built-in one, or one that an installed package adds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

Names = Callable[[], tuple[str, ...]]


class EngineName:
    """A string that names an engine. Any other string is an error that lists the known names.

    Args:
        built_in: Returns the built-in names, in the order of messages and of the JSON schema.
        added: Returns the names that installed packages add; called only for a name that is not built in.
    """

    def __init__(self, built_in: Names, added: Names) -> None:
        self._built_in = built_in
        self._added = added

    def names(self) -> tuple[str, ...]:
        """Return all known names."""
        return (*self._built_in(), *self._added())

    def _check(self, name: str) -> str:
        if name not in self._built_in() and name not in self._added():
            *first, last = map(repr, self.names())
            raise PydanticKnownError("literal_error", {"expected": f"{', '.join(first)} or {last}"})
        return name

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return a schema that reads a string and checks the name."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return a JSON schema that lists the names."""
        return {**handler(core), "enum": list(self.names())}

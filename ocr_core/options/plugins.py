"""Engines that other packages add, found by their entry points in the group `inkstream.engines`.

Finding the names reads the metadata of the installed packages, once per process and only when a configuration names
an engine that is not built in. A package's own code is imported when a configuration uses its engine.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, runtime_checkable

from pydantic_core import PydanticKnownError

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.options.base import EngineOptions

GROUP = "inkstream.engines"


@runtime_checkable
class Plugin(Protocol):
    """The object that an entry point names: an entry of the engine registry. Options need only these properties."""

    @property
    def name(self) -> str:
        """The engine's name in configurations, in rows and as the name of the entry point."""

    @property
    def options(self) -> type[EngineOptions]:
        """The class of its section in `recognize`."""


def plugin_names() -> tuple[str, ...]:
    """Return the names of the engines that installed packages add, sorted."""
    return tuple(sorted(_found()))


@cache
def load_plugin(name: str) -> Plugin:
    """Import an engine that a package adds.

    Raises:
        EnvironmentFault: If the package cannot be imported, or if its entry point does not lead to an engine.
        KeyError: If no package adds an engine of this name.
    """
    point = _found()[name]
    try:
        loaded = point.load()
    except Exception as error:
        raise EnvironmentFault(
            f"the engine {name} of the package {plugin_package(name)} cannot be imported: "
            f"{type(error).__name__}: {error}",
            f"run `python -c 'import {point.module}'` and fix what it reports, or use another engine",
        ) from error
    options = loaded.options if isinstance(loaded, Plugin) else None
    if not (isinstance(options, type) and issubclass(options, EngineOptions)) or loaded.name != name:
        raise EnvironmentFault(
            f"{point.value}, which the package {plugin_package(name)} registers as the engine {name}, "
            "is not a LineEngine or PageEngine of that name",
            "see docs/how-to/add-an-engine.md, or use another engine",
        )
    plugin: Plugin = loaded
    return plugin


def plugin_package(name: str) -> str:
    """Return the name and version of the package that adds an engine, such as `acme-reader 1.2`."""
    distribution = _found()[name].dist
    return f"{distribution.name} {distribution.version}" if distribution else "of an unknown package"


class PluginSection:
    """A plug-in's section as it was given, before the plug-in's options class reads it."""

    def __init__(self, name: str, given: object) -> None:
        self.name = name
        self.given = given

    def read(self) -> EngineOptions:
        """Return the section's options.

        Raises:
            PydanticKnownError: If no package adds an engine of this name.
            ValidationError: If the options are wrong.
            EnvironmentFault: If the package cannot be imported.
        """
        if self.name not in _found():
            raise PydanticKnownError("extra_forbidden")
        return load_plugin(self.name).options.model_validate(self.given)


@cache
def _found() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            packages = sorted({each.dist.name if each.dist else each.module for each in (other, point)})
            raise EnvironmentFault(
                f"the packages {' and '.join(packages)} both add an engine {point.name}", "uninstall one of them"
            )
    return found

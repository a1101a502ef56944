"""Registry entries: all that the rest of Inkstream knows about an engine.

A package that adds an engine creates an entry and registers it; see docs/how-to/add-an-engine.md. The functions of an
entry take the engine's own options. They import heavy modules only when they are called, because entries are also
imported to build forms and JSON schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import package_command
from inkstream.ocr_core.options.base import Options
from inkstream.ocr_core.options.recognize import DetectOptions, RecognizeOptions

if TYPE_CHECKING:
    from inkstream.ocr_core.engines.line_reader import LineReader
    from inkstream.ocr_core.engines.page_reader import PageReader
    from inkstream.ocr_core.page import Region
    from inkstream.ocr_core.pixels import Pixels

OwnOptions = TypeVar("OwnOptions", bound=Options)

Share = Literal["pages", "lines"]
"""A worker's part of the work: `lines` reads lines, `pages` does everything else."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of checking one thing that a pipeline needs on its machine.

    Attributes:
        name: What was checked.
        ok: Whether it is available.
        detail: What was found, or what is missing.
        remedy: What to do about it. If `ok`, an optional suggestion, usually empty.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def checked(name: str, find: Callable[[], object]) -> Check:
    """Return a check that passes if `find` returns; its return value becomes the detail.

    Args:
        name: What is checked.
        find: Raises EnvironmentFault, with a remedy, if it is missing.
    """
    try:
        return Check(name, True, str(find()))
    except EnvironmentFault as fault:
        return Check(name, False, fault.problem, fault.remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine(Generic[OwnOptions]):
    """What every engine entry declares.

    Attributes:
        name: Name in options and rows, and of its section in `recognize` if it has one.
        options: Class of its section's options; RecognizeOptions for an engine without a section.
        checks: Checks everything that the options need, without starting the engine.
        versions: Returns what determines the text: versions of packages, hashes of models.
        requires: Modules that must be importable.
        install: The command that installs them.
        scripts: Unicode scripts that it can read, such as `latin`; empty if its model or language data decides.
        not_in_fingerprint: Options that do not change the text, such as a model's path (its hash is in `versions`).
    """

    name: str
    options: type[OwnOptions]
    checks: Callable[[OwnOptions], Iterable[Check]]
    versions: Callable[[OwnOptions], Mapping[str, str]]
    requires: tuple[str, ...] = ()
    install: str = ""
    scripts: tuple[str, ...] = ()
    not_in_fingerprint: frozenset[str] = frozenset()

    def require_modules(self) -> None:
        """Raise EnvironmentFault if a required module is missing."""
        missing = [name for name in self.requires if find_spec(name) is None]
        if missing:
            raise EnvironmentFault(
                f"the engine {self.name} needs Python packages that are not installed: {', '.join(missing)}",
                self.install or package_command(*missing),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEngine(Engine[OwnOptions]):
    """An engine that reads whole pages.

    Attributes:
        open: Starts the engine.
    """

    open: Callable[[OwnOptions], PageReader]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEngine(Engine[OwnOptions]):
    """An engine that reads single lines, which a region finder has found.

    Attributes:
        open: Starts the engine.
        detect: Options for finding its lines if `pipeline.detect` is null.
        own_process: Whether it runs in a process of its own because its model is large: page processes are replaced
            from time to time, and each would load the model again.
    """

    open: Callable[[OwnOptions], LineReader]
    detect: DetectOptions
    own_process: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFinder:
    """A finder of regions: lines for an engine that reads lines, or areas that are read separately.

    Attributes:
        name: Its name in `detect.engine`.
        find: Returns the regions in reading order, parents before children, without text. Takes pixels (uint8,
            `H x W` or `H x W x 3`) and their dpi (0 if unknown).
        checks: Checks everything that the options need.
        versions: Returns what determines the regions.
        load: Loads its model; None if it has none.
        not_in_fingerprint: Options of `detect` that do not change the regions.
    """

    name: str
    find: Callable[[Pixels, int, DetectOptions, RecognizeOptions], tuple[Region, ...]]
    checks: Callable[[DetectOptions, RecognizeOptions], Iterable[Check]]
    versions: Callable[[DetectOptions, RecognizeOptions], Mapping[str, str]]
    load: Callable[[DetectOptions], None] | None = None
    not_in_fingerprint: frozenset[str] = frozenset()

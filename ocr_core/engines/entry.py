"""What the rest of Inkstream knows of an engine: one entry each.

A package that adds an engine makes such an entry and registers it; see docs/how-to/add-an-engine.md. The functions of
an entry take the engine's own options. They import what is heavy when they are called, as entries are imported to make
forms and JSON schemas.
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
"""What a worker does: everything but reading lines, or only that."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a pipeline needs of its machine.

    Attributes:
        name: What was looked for.
        ok: Whether it is there.
        detail: What was found, or what is missing.
        remedy: What to do about it. With `ok` it is a thing to consider, and usually empty.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def checked(name: str, find: Callable[[], object]) -> Check:
    """Return a check that is passed if `find` returns; what it returns is the detail.

    Args:
        name: What is looked for.
        find: Raises EnvironmentFault, with a remedy, if it is missing.
    """
    try:
        return Check(name, True, str(find()))
    except EnvironmentFault as fault:
        return Check(name, False, fault.problem, fault.remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine(Generic[OwnOptions]):
    """What all entries say.

    Attributes:
        name: In options and in rows; also the name of its section in `recognize`, if it has one.
        options: Class of its options: of its section, or RecognizeOptions for an engine that has none.
        checks: Look for everything that the options need, without starting the engine.
        versions: Return what shapes the text: versions of packages, hashes of models.
        requires: Modules that must be there to import.
        install: The command that installs them.
        scripts: Unicode scripts that it can read, such as `latin`; empty if its model or language data decides.
        not_in_fingerprint: Options that do not change the text, such as where a model lies (its hash is a version).
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
        """Raise EnvironmentFault if a module that it requires is missing."""
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
        open: Starts it.
    """

    open: Callable[[OwnOptions], PageReader]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEngine(Engine[OwnOptions]):
    """An engine that reads one line at a time, which something else has found.

    Attributes:
        open: Starts it.
        detect: What finds its lines if `pipeline.detect` is null.
        own_process: Whether it has a process of its own, because its model is large: page processes are replaced now
            and then, and each would load it again.
    """

    open: Callable[[OwnOptions], LineReader]
    detect: DetectOptions
    own_process: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionFinder:
    """Something that finds regions: the lines for an engine that needs them, or the areas to read by themselves.

    Attributes:
        name: What `detect.engine` calls it.
        find: Given pixels (uint8, `H x W` or `H x W x 3`) and their dpi (0 if unknown), returns the regions in reading
            order, parents before children. They have no text.
        checks: Look for everything that the options need.
        versions: Return what shapes the regions.
        load: Loads its model; None if it has none.
        not_in_fingerprint: Options of `detect` that do not change the regions.
    """

    name: str
    find: Callable[[Pixels, int, DetectOptions, RecognizeOptions], tuple[Region, ...]]
    checks: Callable[[DetectOptions, RecognizeOptions], Iterable[Check]]
    versions: Callable[[DetectOptions, RecognizeOptions], Mapping[str, str]]
    load: Callable[[DetectOptions], None] | None = None
    not_in_fingerprint: frozenset[str] = frozenset()

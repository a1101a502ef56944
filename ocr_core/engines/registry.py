"""The registry: one entry per engine, and which entries a pipeline uses.

To add an engine, add its entry here and its section to `RecognizeOptions`. Another package adds one by an entry point
(see docs/how-to/add-an-engine.md). No other module refers to an engine by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from inkstream.ocr_core.engines.entry import Check, Engine, LineEngine, PageEngine, RegionFinder, Share
from inkstream.ocr_core.engines.first_use import first_use
from inkstream.ocr_core.engines.line_reader import LineReader
from inkstream.ocr_core.engines.page_reader import PageReader
from inkstream.ocr_core.engines.ppocr.entry import PPOCR, PPOCR_DETECTOR
from inkstream.ocr_core.engines.tesseract.entry import (
    TESSERACT,
    TESSERACT_LAYOUT,
    orientation_checks,
    orientation_versions,
)
from inkstream.ocr_core.engines.trocr.entry import TROCR
from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.ocr_core.options import DetectOptions, Options, PipelineOptions, RecognizeOptions, TextLayerMode
from inkstream.ocr_core.options.plugins import load_plugin, plugin_names, plugin_package
from inkstream.ocr_core.options.recognize import ROUTED

BUILT_IN: dict[str, Engine[Any]] = {engine.name: engine for engine in (TESSERACT, PPOCR, TROCR)}

LINE_MODES = (*(name for name, engine in BUILT_IN.items() if isinstance(engine, LineEngine)), ROUTED)
"""Values of `recognize.engine` that read single lines, without engines of other packages."""

FINDERS: dict[str, RegionFinder] = {finder.name: finder for finder in (TESSERACT_LAYOUT, PPOCR_DETECTOR)}


_ANOTHER = "fix what it reports, or set recognize.engine to another engine"


@dataclass(frozen=True, slots=True)
class Routed:
    """Two engines that share the work: `recognize.engine: auto`.

    Attributes:
        first: Reads the page.
        second: Rereads the lines that the first is unsure of, and reads those that it missed.
    """

    first: PageEngine[Any]
    second: LineEngine[Any]


ReadingMode = PageEngine[Any] | LineEngine[Any] | Routed
"""How a page is read: by one engine, or by two."""


@dataclass(frozen=True, slots=True)
class Use:
    """An engine or finder that a pipeline uses, bound to its options.

    Attributes:
        share: Which part of the work it belongs to.
        checks: Checks that everything it needs is available.
        versions: Returns what determines the result.
        load: Opens it in a page process before the first page; None if nothing is opened there.
    """

    share: Share
    checks: Callable[[], Iterable[Check]]
    versions: Callable[[], Mapping[str, str]]
    load: Callable[[], object] | None = None


def engine_named(name: str) -> Engine[Any]:
    """Return the entry of an engine.

    Raises:
        ConfigError: If the engine is unknown; the message lists the known ones.
        EnvironmentFault: If its package cannot be imported.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name not in plugin_names():
        known = ", ".join((*BUILT_IN, *plugin_names()))
        raise ConfigError(f"there is no engine {name!r}; the engines are {known}, and {ROUTED} joins two of them")
    entry = load_plugin(name)
    if not isinstance(entry, PageEngine | LineEngine):
        raise EnvironmentFault(
            f"the engine {name} of the package {plugin_package(name)} is a {type(entry).__name__}, not a "
            "LineEngine or PageEngine",
            "see docs/how-to/add-an-engine.md, or use another engine",
        )
    return entry


def finder_named(name: str) -> RegionFinder:
    """Return the region finder of this name.

    Raises:
        ConfigError: If the finder is unknown; the message lists the known ones.
    """
    if name not in FINDERS:
        raise ConfigError(f"detect.engine: there is no region finder {name!r}; the finders are {', '.join(FINDERS)}")
    return FINDERS[name]


def reading_of(options: RecognizeOptions) -> ReadingMode:
    """Return how pages are read: by one engine, or by two that share the work.

    Raises:
        ConfigError: If an engine is unknown, or the second of two does not read lines.
        EnvironmentFault: If an engine's package cannot be imported.
    """
    if options.engine == ROUTED:
        return Routed(TESSERACT, _second(options))
    engine = engine_named(options.engine)
    assert isinstance(engine, PageEngine | LineEngine)
    return engine


def _second(options: RecognizeOptions) -> LineEngine[Any]:
    engine = engine_named(options.routing.second)
    if not isinstance(engine, LineEngine):
        raise ConfigError(f"routing.second: {engine.name} reads whole pages, but the second engine must read lines")
    return engine


def line_engine_of(options: RecognizeOptions) -> LineEngine[Any] | None:
    """Return the engine that reads lines, either all or only the doubtful ones; None if no engine does.

    Raises:
        ConfigError: If the engine is unknown.
    """
    match reading_of(options):
        case Routed(second=second):
            return second
        case LineEngine() as engine:
            return engine
        case PageEngine():
            return None


def detection_of(options: PipelineOptions) -> DetectOptions | None:
    """Return how regions are found before reading: `detect`, or the default of an engine that reads lines."""
    reading = reading_of(options.recognize)
    if options.detect is None and isinstance(reading, LineEngine):
        return reading.detect
    return options.detect


def search_of(options: PipelineOptions, routed: Routed) -> DetectOptions:
    """Return how a routed page is searched for lines that the first engine missed."""
    own, usual = options.detect, routed.second.detect
    return own if own is not None and own.engine == usual.engine else usual


def own_options(engine: Engine[Any], options: RecognizeOptions) -> Options:
    """Return an engine's options: its section, or `recognize` itself if it has none."""
    return options if engine.options is RecognizeOptions else options.section(engine.name)


def has_own_process(options: PipelineOptions) -> bool:
    """Return whether lines are read in a separate process because the model is large."""
    engine = line_engine_of(options.recognize) if _reads_pixels(options) else None
    return engine is not None and engine.own_process


def open_line_reader(options: RecognizeOptions) -> LineReader:
    """Return the line reader that the options select, opened once per process and tested before the first page.

    Raises:
        EnvironmentFault: If its model or a package is missing or does not work.
        ConfigError: If the engine is unknown or does not accept an option.
    """
    engine = line_engine_of(options)
    if engine is None:
        raise ConfigError(f"recognize.engine: {options.engine} does not read single lines")
    return _line_reader(engine, own_options(engine, options).model_dump_json())


def open_page_reader(engine: PageEngine[Any], options: RecognizeOptions) -> PageReader:
    """Return an engine's page reader, opened once per process.

    Raises:
        EnvironmentFault: If the engine or a requirement of it is missing.
        ConfigError: If the engine does not accept an option.
    """
    return _page_reader(engine, own_options(engine, options).model_dump_json())


@lru_cache(maxsize=2)
def _line_reader(engine: LineEngine[Any], options: str) -> LineReader:
    engine.require_modules()
    with first_use(f"the model of the engine {engine.name}", f"set recognize.{engine.name}.model to another model"):
        reader = engine.open(engine.options.model_validate_json(options))
        reader.warm_up()
    return reader


@lru_cache(maxsize=1)
def _page_reader(engine: PageEngine[Any], options: str) -> PageReader:
    engine.require_modules()
    return engine.open(engine.options.model_validate_json(options))


def uses_of(options: PipelineOptions) -> list[Use]:
    """Return every engine and finder that a pipeline uses; an empty list if it never reads pixels.

    Raises:
        ConfigError: If an engine is unknown.
    """
    return list(_uses(options)) if _reads_pixels(options) else []


def _uses(options: PipelineOptions) -> Iterator[Use]:
    recognize = options.recognize
    reading, detection = reading_of(recognize), detection_of(options)
    if detection is not None:
        yield _use_of_finder(detection, recognize)
    if isinstance(reading, Routed):
        search = search_of(options, reading)
        if search is not detection:
            yield _use_of_finder(search, recognize)
        yield _use_of_engine(reading.first, "pages", recognize)
    if isinstance(reading, PageEngine):
        yield _use_of_engine(reading, "pages", recognize)
    orient = options.preprocess.orient
    if orient is not None and orient.angle is None:
        yield Use("pages", partial(orientation_checks, recognize), partial(orientation_versions, recognize))
    lines = line_engine_of(recognize)
    if lines is not None:
        load = None if lines.own_process else partial(open_line_reader, recognize)
        yield _use_of_engine(lines, "lines", recognize, load)


def _use_of_finder(detect: DetectOptions, recognize: RecognizeOptions) -> Use:
    finder = finder_named(detect.engine)
    load = partial(_load_finder, finder, detect) if finder.load else None
    return Use("pages", partial(finder.checks, detect, recognize), partial(finder.versions, detect, recognize), load)


def _load_finder(finder: RegionFinder, detect: DetectOptions) -> None:
    assert finder.load is not None
    with first_use("the model that finds text", "set detect.model to another model, or leave it out"):
        finder.load(detect)


def _use_of_engine(
    engine: Engine[Any], share: Share, recognize: RecognizeOptions, load: Callable[[], object] | None = None
) -> Use:
    own = own_options(engine, recognize)
    return Use(share, partial(_checks, engine, own), partial(_versions, engine, own), load)


def _checks(engine: Engine[Any], options: Options) -> Iterator[Check]:
    """Check an engine's modules, then its other requirements; for a plug-in, also name its package."""
    try:
        engine.require_modules()
    except EnvironmentFault as fault:
        yield Check(f"{engine.name} packages", False, fault.problem, fault.remedy)
        return
    if engine.name not in BUILT_IN:
        scripts = f", for the scripts {', '.join(engine.scripts)}" if engine.scripts else ""
        yield Check(f"engine {engine.name}", True, f"{plugin_package(engine.name)}{scripts}")
    try:
        with first_use(f"the check of the engine {engine.name}", _ANOTHER):
            yield from list(engine.checks(options))
    except EnvironmentFault as fault:
        yield Check(f"engine {engine.name}", False, fault.problem, fault.remedy)


def _versions(engine: Engine[Any], options: Options) -> dict[str, str]:
    engine.require_modules()
    added = {} if engine.name in BUILT_IN else {f"engine:{engine.name}": plugin_package(engine.name)}
    with first_use(f"the engine {engine.name}", _ANOTHER):
        return {**added, **engine.versions(options)}


def _reads_pixels(options: PipelineOptions) -> bool:
    return options.text_layer.mode is not TextLayerMode.ONLY

"""Only the registry knows engines by name, and each name means one engine."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inkstream import ConfigError, EnvironmentFault, PipelineOptions, build_config, build_pipeline
from inkstream.ocr_core.engines import registry
from inkstream.ocr_core.engines.entry import LineEngine, PageEngine
from inkstream.ocr_core.engines.registry import (
    BUILT_IN,
    FINDERS,
    LINE_MODES,
    detection_of,
    engine_named,
    finder_named,
    has_own_process,
    line_engine_of,
    open_line_reader,
    own_options,
    reading_of,
    search_of,
    uses_of,
)
from inkstream.ocr_core.options import DetectOptions, RecognizeOptions
from inkstream.ocr_core.options.recognize import built_in_engines, built_in_sections
from tests.places import ROOT


def options(**sections: Any) -> PipelineOptions:
    return PipelineOptions.model_validate(sections)


def test_the_registry_and_the_options_name_the_same_engines() -> None:
    assert built_in_engines() == (*BUILT_IN, "auto")
    assert {name for name, engine in BUILT_IN.items() if isinstance(engine, LineEngine)} == set(built_in_sections())
    for name in built_in_sections():
        assert type(own_options(BUILT_IN[name], RecognizeOptions())) is BUILT_IN[name].options
    assert set(FINDERS) == set(DetectOptions.model_json_schema()["properties"]["engine"]["enum"])
    assert {engine.detect.engine for engine in BUILT_IN.values() if isinstance(engine, LineEngine)} <= set(FINDERS)


def test_what_is_not_in_the_fingerprint_is_an_option() -> None:
    for engine in BUILT_IN.values():
        assert engine.not_in_fingerprint <= set(engine.options.model_fields)
    for finder in FINDERS.values():
        assert finder.not_in_fingerprint <= set(DetectOptions.model_fields)


def comparisons(tree: ast.AST) -> Iterator[str]:
    """Yield the texts that a module compares something with, or matches."""
    for node in ast.walk(tree):
        compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        matched = [node.value] if isinstance(node, ast.MatchValue) else []
        for part in (each for whole in (*compared, *matched) for each in ast.walk(whole)):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def test_nothing_compares_the_name_of_an_engine() -> None:
    modules = [
        path for folder in ("ocr_core", "tasks", "flows", "deployments") for path in (ROOT / folder).rglob("*.py")
    ]
    found = {
        str(path.relative_to(ROOT)): name
        for path in modules
        for name in comparisons(ast.parse(path.read_text(encoding="utf-8")))
        if name in BUILT_IN
    }
    assert found == {}


def test_an_unknown_name_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no engine 'tesserract'; the engines are tesseract, ppocr, trocr, and auto"):
        engine_named("tesserract")
    with pytest.raises(ConfigError, match="no region finder 'craft'; the finders are tesseract, ppocr"):
        finder_named("craft")
    for changed in (
        RecognizeOptions().model_copy(update={"engine": "easy"}),
        RecognizeOptions(engine="auto", routing=RecognizeOptions().routing.model_copy(update={"second": "easy"})),
    ):
        made = PipelineOptions().model_copy(update={"recognize": changed})
        for use in (build_pipeline, uses_of, has_own_process):
            with pytest.raises(ConfigError, match="no engine 'easy'"):
                use(made)
    found = PipelineOptions().model_copy(update={"detect": DetectOptions().model_copy(update={"engine": "easy"})})
    with pytest.raises(ConfigError, match="the finders are tesseract, ppocr"):
        uses_of(found)


@pytest.mark.parametrize(
    ("changes", "path", "known"),
    [
        ({"recognize": {"engine": "easy"}}, "recognize.engine", "tesseract, ppocr, trocr, auto"),
        ({"recognize": {"routing": {"second": "tesseract"}}}, "recognize.routing.second", "ppocr, trocr"),
        ({"detect": {"engine": "easy"}}, "detect.engine", "tesseract, ppocr"),
    ],
)
def test_in_a_configuration_it_is_named_where_it_stands(changes: dict[str, Any], path: str, known: str) -> None:
    with pytest.raises(ConfigError, match=rf"pipeline\.{path}: '\w+' is not one of {known}$"):
        build_config({"source": {"url": "a"}, "sink": {"url": "b"}, "pipeline": changes})


def test_a_page_engine_is_no_second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILT_IN, "ppocr", BUILT_IN["tesseract"])
    with pytest.raises(ConfigError, match="reads whole pages, but the second engine must read lines"):
        reading_of(RecognizeOptions(engine="auto"))


@pytest.mark.parametrize(
    ("engine", "lines", "own_process"),
    [("tesseract", None, False), ("ppocr", "ppocr", False), ("trocr", "trocr", True), ("auto", "ppocr", False)],
)
def test_who_reads(engine: str, lines: str | None, own_process: bool) -> None:
    made = options(recognize={"engine": engine})
    found = line_engine_of(made.recognize)
    assert (found.name if found else None) == lines
    assert has_own_process(made) is own_process
    assert not has_own_process(made.model_copy(update={"text_layer": options(text_layer={"mode": "only"}).text_layer}))
    assert (engine in LINE_MODES) == (lines is not None)


def test_lines_are_found_for_an_engine_that_needs_them() -> None:
    assert detection_of(options()) is None
    assert detection_of(options(detect={"level": "line"})) == DetectOptions(level="line")
    assert detection_of(options(recognize={"engine": "trocr"})) == DetectOptions(engine="ppocr")
    own = {"engine": "ppocr", "width": 640}
    assert detection_of(options(detect=own, recognize={"engine": "ppocr"})) == DetectOptions(**own)
    assert detection_of(options(recognize={"engine": "auto"})) is None


def test_a_routed_page_is_searched_as_detect_says_if_that_finds_lines() -> None:
    made = [
        options(detect=each, recognize={"engine": "auto"}) for each in (None, {"engine": "ppocr", "width": 640}, {})
    ]
    searches = []
    for each in made:
        routed = reading_of(each.recognize)
        assert isinstance(routed, registry.Routed)
        assert isinstance(routed.first, PageEngine)
        searches.append(search_of(each, routed))
    assert [search.width for search in searches] == [1280, 640, 1280]
    assert {search.engine for search in searches} == {"ppocr"}


@pytest.mark.parametrize(
    ("sections", "pages", "lines"),
    [
        ({"text_layer": {"mode": "only"}, "recognize": {"engine": "trocr"}}, [], []),
        ({}, ["tesseract binding", "tesseract language eng"], []),
        ({"recognize": {"engine": "ppocr"}}, ["ppocr detector"], ["ppocr recogniser"]),
        ({"recognize": {"engine": "ppocr"}, "detect": {"level": "line"}}, ["tesseract"], ["ppocr recogniser"]),
        ({"recognize": {"engine": "trocr"}}, ["ppocr detector"], ["trocr"]),
        ({"recognize": {"engine": "auto"}}, ["ppocr detector", "tesseract binding"], ["ppocr recogniser"]),
        ({"preprocess": {"orient": {}}}, ["tesseract binding", "tesseract orientation"], []),
    ],
)
def test_what_is_used_is_looked_for_by_whoever_uses_it(
    sections: dict[str, Any], pages: list[str], lines: list[str]
) -> None:
    uses = uses_of(options(**sections))
    found = {
        share: [check.name for use in uses if use.share == share for check in use.checks()]
        for share in ("pages", "lines")
    }
    for wanted, names in ((pages, found["pages"]), (lines, found["lines"])):
        assert bool(wanted) == bool(names)
        assert all(any(name.startswith(each) for name in names) for each in wanted), names


def test_a_model_is_opened_before_any_page_unless_it_is_elsewhere() -> None:
    loads = {
        engine: [use.load is not None for use in uses_of(options(recognize={"engine": engine}))] for engine in BUILT_IN
    }
    assert loads == {"tesseract": [False], "ppocr": [True, True], "trocr": [True, False]}


def test_a_reader_is_opened_once_in_a_process() -> None:
    first = open_line_reader(RecognizeOptions(engine="ppocr"))
    assert open_line_reader(RecognizeOptions(engine="ppocr", languages="deu")) is first
    assert open_line_reader(options(recognize={"engine": "ppocr", "ppocr": {"views": 2}}).recognize) is not first


def test_what_does_not_read_lines_opens_no_reader_of_them() -> None:
    with pytest.raises(ConfigError, match=r"recognize\.engine: tesseract does not read single lines"):
        open_line_reader(RecognizeOptions())


def test_a_model_that_does_not_work_is_the_machine_s_fault(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    wrong = options(recognize={"engine": "ppocr", "ppocr": {"model": str(tmp_path / "model.onnx")}})
    with pytest.raises(EnvironmentFault, match="cannot be opened as an ONNX model"):
        open_line_reader(wrong.recognize)

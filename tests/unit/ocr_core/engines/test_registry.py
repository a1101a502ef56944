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


def test_options_left_out_of_the_fingerprint_exist() -> None:
    for engine in BUILT_IN.values():
        assert engine.not_in_fingerprint <= set(engine.options.model_fields)
    for finder in FINDERS.values():
        assert finder.not_in_fingerprint <= set(DetectOptions.model_fields)


def comparisons(tree: ast.AST) -> Iterator[str]:
    """Yield the strings in a module's comparisons and `case` patterns."""
    for node in ast.walk(tree):
        compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
        matched = [node.value] if isinstance(node, ast.MatchValue) else []
        for part in (each for whole in (*compared, *matched) for each in ast.walk(whole)):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value


def test_no_module_compares_engine_names() -> None:
    modules = [
        path for folder in ("ocr_core", "tasks", "flows", "deployments") for path in (ROOT / folder).rglob("*.py")
    ]
    compared = {
        str(path.relative_to(ROOT)): name
        for path in modules
        for name in comparisons(ast.parse(path.read_text(encoding="utf-8")))
        if name in BUILT_IN
    }
    assert compared == {}


def test_an_unknown_engine_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="no engine 'tesserract'; the engines are tesseract, ppocr, trocr, and auto"):
        engine_named("tesserract")
    with pytest.raises(ConfigError, match="no region finder 'craft'; the finders are tesseract, ppocr"):
        finder_named("craft")
    for changed in (
        RecognizeOptions().model_copy(update={"engine": "easy"}),
        RecognizeOptions(engine="auto", routing=RecognizeOptions().routing.model_copy(update={"second": "easy"})),
    ):
        chosen = PipelineOptions().model_copy(update={"recognize": changed})
        for use in (build_pipeline, uses_of, has_own_process):
            with pytest.raises(ConfigError, match="no engine 'easy'"):
                use(chosen)
    with_unknown_finder = PipelineOptions().model_copy(
        update={"detect": DetectOptions().model_copy(update={"engine": "easy"})}
    )
    with pytest.raises(ConfigError, match="the finders are tesseract, ppocr"):
        uses_of(with_unknown_finder)


@pytest.mark.parametrize(
    ("changes", "path", "known"),
    [
        ({"recognize": {"engine": "easy"}}, "recognize.engine", "tesseract, ppocr, trocr, auto"),
        ({"recognize": {"routing": {"second": "tesseract"}}}, "recognize.routing.second", "ppocr, trocr"),
        ({"detect": {"engine": "easy"}}, "detect.engine", "tesseract, ppocr"),
    ],
)
def test_a_config_error_gives_the_path_of_an_unknown_engine(changes: dict[str, Any], path: str, known: str) -> None:
    with pytest.raises(ConfigError, match=rf"pipeline\.{path}: '\w+' is not one of {known}$"):
        build_config({"source": {"url": "a"}, "sink": {"url": "b"}, "pipeline": changes})


def test_a_page_engine_cannot_be_the_second_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BUILT_IN, "ppocr", BUILT_IN["tesseract"])
    with pytest.raises(ConfigError, match="reads whole pages, but the second engine must read lines"):
        reading_of(RecognizeOptions(engine="auto"))


@pytest.mark.parametrize(
    ("engine", "lines", "own_process"),
    [("tesseract", None, False), ("ppocr", "ppocr", False), ("trocr", "trocr", True), ("auto", "ppocr", False)],
)
def test_which_engine_reads_lines_and_has_its_own_process(engine: str, lines: str | None, own_process: bool) -> None:
    chosen = options(recognize={"engine": engine})
    line_engine = line_engine_of(chosen.recognize)
    assert (line_engine.name if line_engine else None) == lines
    assert has_own_process(chosen) is own_process
    assert not has_own_process(
        chosen.model_copy(update={"text_layer": options(text_layer={"mode": "only"}).text_layer})
    )
    assert (engine in LINE_MODES) == (lines is not None)


def test_an_engine_that_reads_lines_gets_detection_by_default() -> None:
    assert detection_of(options()) is None
    assert detection_of(options(detect={"level": "line"})) == DetectOptions(level="line")
    assert detection_of(options(recognize={"engine": "trocr"})) == DetectOptions(engine="ppocr")
    own = {"engine": "ppocr", "width": 640}
    assert detection_of(options(detect=own, recognize={"engine": "ppocr"})) == DetectOptions(**own)
    assert detection_of(options(recognize={"engine": "auto"})) is None


def test_the_search_of_a_routed_page_uses_detect_if_it_finds_lines() -> None:
    variants = [
        options(detect=each, recognize={"engine": "auto"}) for each in (None, {"engine": "ppocr", "width": 640}, {})
    ]
    searches = []
    for each in variants:
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
def test_each_share_of_the_work_checks_what_it_uses(
    sections: dict[str, Any], pages: list[str], lines: list[str]
) -> None:
    uses = uses_of(options(**sections))
    check_names = {
        share: [check.name for use in uses if use.share == share for check in use.checks()]
        for share in ("pages", "lines")
    }
    for wanted, names in ((pages, check_names["pages"]), (lines, check_names["lines"])):
        assert bool(wanted) == bool(names)
        assert all(any(name.startswith(each) for name in names) for each in wanted), names


def test_only_ppocr_models_are_loaded_before_the_first_page() -> None:
    loads = {
        engine: [use.load is not None for use in uses_of(options(recognize={"engine": engine}))] for engine in BUILT_IN
    }
    assert loads == {"tesseract": [False], "ppocr": [True, True], "trocr": [True, False]}


def test_a_line_reader_is_reused_unless_its_options_change() -> None:
    first = open_line_reader(RecognizeOptions(engine="ppocr"))
    assert open_line_reader(RecognizeOptions(engine="ppocr", languages="deu")) is first
    assert open_line_reader(options(recognize={"engine": "ppocr", "ppocr": {"views": 2}}).recognize) is not first


def test_an_engine_that_reads_pages_has_no_line_reader() -> None:
    with pytest.raises(ConfigError, match=r"recognize\.engine: tesseract does not read single lines"):
        open_line_reader(RecognizeOptions())


def test_a_broken_model_is_an_environment_fault(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    wrong = options(recognize={"engine": "ppocr", "ppocr": {"model": str(tmp_path / "model.onnx")}})
    with pytest.raises(EnvironmentFault, match="cannot be opened as an ONNX model"):
        open_line_reader(wrong.recognize)

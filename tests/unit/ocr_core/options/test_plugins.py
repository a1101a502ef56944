"""Engines from other packages: their options work like all others, and a broken package is not a page's failure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from inkstream import ConfigError, EnvironmentFault, PipelineOptions, build_config, check_environment, pipeline_id
from inkstream.ocr_core.engines.registry import engine_named
from inkstream.ocr_core.options import RecognizeOptions, plugins
from inkstream.tasks.config import editor_schema
from inkstream.tasks.config.writing import plain
from tests.added_engine import install

PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Install packages that this process finds until the test ends."""
    monkeypatch.syspath_prepend(tmp_path)

    def add(*changes: tuple[str, str], name: str = "acme") -> Path:
        folder = install(tmp_path, *changes, name=name)
        forget()
        return folder

    yield add
    monkeypatch.undo()
    forget()


def forget() -> None:
    plugins._found.cache_clear()
    plugins.load_plugin.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_reader"]:
        del sys.modules[name]


def recognize(**changes: Any) -> dict[str, Any]:
    return {**PLACES, "pipeline": {"recognize": changes}}


def mistakes(**changes: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        build_config(recognize(**changes))
    return str(caught.value)


def test_an_added_engine_has_a_section_with_defaults(added: Callable[..., Path]) -> None:
    added()
    config = build_config(recognize(engine="acme"), overrides=["pipeline.recognize.acme.space=0.5"])
    own = config.pipeline.recognize.section("acme")
    assert own.model_dump()["space"] == 0.5
    assert plain(config)["pipeline"]["recognize"]["acme"]["alphabet"].startswith("ABC")
    assert PipelineOptions.model_validate_json(config.pipeline.canonical()) == config.pipeline
    assert build_config(plain(config)) == config
    assert RecognizeOptions(acme=own).section("acme") is own
    assert RecognizeOptions().section("acme").model_dump()["space"] == 0.35


def test_its_mistakes_are_named_like_any_other(added: Callable[..., Path]) -> None:
    assert mistakes(engine="acme") == "pipeline.recognize.engine: 'acme' is not one of tesseract, ppocr, trocr, auto", (
        "without the package it is unknown"
    )
    added()
    assert mistakes(engine="acne").endswith("is not one of tesseract, ppocr, trocr, auto, acme; did you mean 'acme'?")
    assert mistakes(engine="auto", routing={"second": "acne"}) == (
        "pipeline.recognize.routing.second: 'acne' is not one of ppocr, trocr, acme; did you mean 'acme'?"
    )
    assert mistakes(acne={}) == "pipeline.recognize.acne: unknown option; did you mean 'acme'?"
    assert mistakes(acme={"spice": 1}) == "pipeline.recognize.acme.spice: unknown option; did you mean 'space'?"
    assert "pipeline.recognize.acme.space: Input should be greater than 0" in mistakes(acme={"space": 0})
    assert mistakes(acme=3) == "pipeline.recognize.acme: expected a section with options of its own (given: 3)"
    assert mistakes(alphabet="AB").endswith("did you mean pipeline.recognize.acme.alphabet?")


def test_the_schema_has_its_section(added: Callable[..., Path]) -> None:
    added()
    schema = editor_schema()
    wrong: list[dict[str, Any]] = [{"engine": "acne"}, {"acme": {"spice": 1}}, {"acne": {}}]
    for changes in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(recognize(**changes), schema)
    jsonschema.validate(recognize(engine="acme", acme={"space": 0.5, "alphabet": "AB"}), schema)
    section = schema["$defs"]["RecognizeOptions"]["properties"]["acme"]
    assert section["properties"]["space"]["description"].startswith("white between letters")


def test_its_options_count_only_where_it_reads_and_differ_from_their_defaults(added: Callable[..., Path]) -> None:
    added()

    def made(engine: str, **acme: Any) -> str:
        return pipeline_id(build_config(recognize(engine=engine, acme=acme)).pipeline, {"acme": "1"})

    assert made("tesseract", space=0.9) == pipeline_id(PipelineOptions(), {"acme": "1"})
    assert made("acme") == made("acme", space=0.35) == made("acme", typeface="/a.ttf")
    assert len({made("acme"), made("acme", space=0.9), made("tesseract")}) == 3
    added(("    space: float", "    weight: int = 3\n    space: float"))
    assert made("acme", space=0.9, weight=3) == made("acme", space=0.9) != made("acme", space=0.9, weight=4)


def test_what_it_requires_is_looked_for(added: Callable[..., Path]) -> None:
    added(('requires=("PIL", "numpy")', 'requires=("PIL", "no_such_module")'))
    pipeline = build_config(recognize(engine="acme")).pipeline
    (failed,) = [check for check in check_environment(pipeline) if not check.ok]
    assert failed.name == "acme packages"
    assert failed.detail == "the engine acme needs Python packages that are not installed: no_such_module"
    assert failed.remedy == "python -m pip install acme-reader"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("from pathlib import Path", "import no_such_module"), "cannot be imported: ModuleNotFoundError"),
        (("ENGINE = LineEngine(", "ENGINE = dict("), "acme_reader:ENGINE, which the package acme-reader 1.2 registers"),
        (('    name="acme",\n', '    name="other",\n'), "is not a LineEngine or PageEngine of that name"),
        (("options=AcmeOptions,", "options=DetectOptions,"), "is not a LineEngine or PageEngine of that name"),
    ],
)
def test_a_package_that_does_not_work_is_the_machine_s_fault(
    added: Callable[..., Path], change: tuple[str, str], problem: str
) -> None:
    added(change)
    with pytest.raises(EnvironmentFault) as caught:
        build_config(recognize(engine="acme"))
    assert problem in caught.value.problem
    assert "use another engine" in caught.value.remedy
    assert build_config(recognize(engine="tesseract")), "who does not use it does not notice"
    assert mistakes(tessdate="x").endswith("did you mean 'tessdata'?")
    section = editor_schema()["$defs"]["RecognizeOptions"]["properties"]["acme"]
    assert problem in section["description"]


def test_a_name_that_inkstream_has_is_refused(added: Callable[..., Path]) -> None:
    added(name="ppocr")
    assert engine_named("ppocr").options is not None
    with pytest.raises(EnvironmentFault, match="adds an engine called ppocr, which is an option of Inkstream"):
        build_config(recognize(engine="acme"))


def test_two_packages_with_one_name_are_refused(added: Callable[..., Path]) -> None:
    folder = added()
    second = folder / "other-1.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (second / "entry_points.txt").write_text("[inkstream.engines]\nacme = other:ENGINE\n")
    forget()
    with pytest.raises(EnvironmentFault, match="acme-reader and other both add an engine acme"):
        build_config(recognize(engine="acme"))


def test_without_a_name_that_is_unknown_nothing_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("the metadata of all packages takes time to read")

    monkeypatch.setattr(plugins, "_found", fail)
    build_config(recognize(engine="auto", routing={"second": "trocr"}, ppocr={"scripts": ["latin"]}))
    with pytest.raises(ValidationError):
        RecognizeOptions.model_validate({"lines": 3})

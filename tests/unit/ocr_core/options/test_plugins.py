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
    """Yield a function that installs an engine package, which this process sees until the test ends."""
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


def test_mistakes_with_an_added_engine_are_reported_like_any_other(added: Callable[..., Path]) -> None:
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


def test_the_editor_schema_covers_an_added_engine(added: Callable[..., Path]) -> None:
    added()
    schema = editor_schema()
    wrong: list[dict[str, Any]] = [{"engine": "acne"}, {"acme": {"spice": 1}}, {"acne": {}}]
    for changes in wrong:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(recognize(**changes), schema)
    jsonschema.validate(recognize(engine="acme", acme={"space": 0.5, "alphabet": "AB"}), schema)
    section = schema["$defs"]["RecognizeOptions"]["properties"]["acme"]
    assert section["properties"]["space"]["description"].startswith("white between letters")


def test_the_pipeline_id_covers_changed_options_of_the_engine_in_use(added: Callable[..., Path]) -> None:
    added()

    def id_with(engine: str, **acme: Any) -> str:
        return pipeline_id(build_config(recognize(engine=engine, acme=acme)).pipeline, {"acme": "1"})

    assert id_with("tesseract", space=0.9) == pipeline_id(PipelineOptions(), {"acme": "1"})
    assert id_with("acme") == id_with("acme", space=0.35) == id_with("acme", typeface="/a.ttf")
    assert len({id_with("acme"), id_with("acme", space=0.9), id_with("tesseract")}) == 3
    added(("    space: float", "    weight: int = 3\n    space: float"))
    assert id_with("acme", space=0.9, weight=3) == id_with("acme", space=0.9) != id_with("acme", space=0.9, weight=4)


def test_check_environment_names_missing_modules_of_an_added_engine(added: Callable[..., Path]) -> None:
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
def test_a_broken_engine_package_is_an_environment_fault(
    added: Callable[..., Path], change: tuple[str, str], problem: str
) -> None:
    added(change)
    with pytest.raises(EnvironmentFault) as caught:
        build_config(recognize(engine="acme"))
    assert problem in caught.value.problem
    assert "use another engine" in caught.value.remedy
    assert build_config(recognize(engine="tesseract")), "other engines are not affected"
    assert mistakes(tessdate="x").endswith("did you mean 'tessdata'?")
    section = editor_schema()["$defs"]["RecognizeOptions"]["properties"]["acme"]
    assert problem in section["description"]


def test_an_added_engine_may_not_take_a_built_in_name(added: Callable[..., Path]) -> None:
    added(name="ppocr")
    assert engine_named("ppocr").options is not None
    with pytest.raises(EnvironmentFault, match="adds an engine called ppocr, which is an option of Inkstream"):
        build_config(recognize(engine="acme"))


def test_two_packages_may_not_add_the_same_engine(added: Callable[..., Path]) -> None:
    folder = added()
    second = folder / "other-1.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    (second / "entry_points.txt").write_text("[inkstream.engines]\nacme = other:ENGINE\n")
    forget()
    with pytest.raises(EnvironmentFault, match="acme-reader and other both add an engine acme"):
        build_config(recognize(engine="acme"))


def test_known_names_do_not_look_up_added_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("packages were looked up without need, which takes time")

    monkeypatch.setattr(plugins, "_found", fail)
    build_config(recognize(engine="auto", routing={"second": "trocr"}, ppocr={"scripts": ["latin"]}))
    with pytest.raises(ValidationError):
        RecognizeOptions.model_validate({"lines": 3})

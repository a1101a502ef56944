"""Configuration files: lines of mistakes, the effective configuration, the schema for editors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import (
    PRESETS,
    StreamConfig,
    build_config,
    build_from,
    editor_schema,
    examine,
    format_duration,
    load_config_file,
    parse_config_file,
    parse_duration,
    plain,
    to_yaml,
)

PLACES = "source: {url: inbox}\nsink: {url: tables}\n"
WRONG = """preset: ocr-streeming
source:
  url: inbox
  globb: "*"
trigger:
  maxFilesPerTrigger: 0
pipeline:
  text_layer: {mode: prefr}
  recognize:
    languages:
      - eng
      - 7
  resolution: 200
  detect: yes
"""
DOCUMENTS = [
    {},
    {"pipeline": {"detect": {}, "draw": {"level": "word"}, "recognize": {"languages": ["deu", "eng"]}}},
    {"source": {"url": "a b", "glob": "*: #?", "stability_delay": 0.25, "max_file_age": "36h"}},
    {"execution": {"limits": {"page_seconds": 5}}, "pipeline": {"text_layer": {"mode": "only"}}},
    *PRESETS.values(),
]


def test_all_mistakes_come_at_once_each_with_its_line() -> None:
    found = examine(parse_config_file(WRONG, "x.yaml"))
    assert isinstance(found, list)
    assert [(mistake.line, ".".join(mistake.path)) for mistake in found] == [
        (None, "sink"),
        (1, "preset"),
        (4, "source.globb"),
        (6, "trigger.maxFilesPerTrigger"),
        (8, "pipeline.text_layer.mode"),
        (12, "pipeline.recognize.languages.1"),
        (13, "pipeline.resolution"),
        (14, "pipeline.detect"),
    ]
    said = {".".join(mistake.path): mistake.message for mistake in found}
    assert "did you mean 'ocr-streaming'?" in said["preset"]
    assert said["pipeline.text_layer.mode"].endswith("is not one of ignore, prefer, only; did you mean 'prefer'?")
    assert said["pipeline.resolution"] == (
        "unknown option; did you mean pipeline.render.resolution or pipeline.preprocess.deskew.resolution?"
    )
    assert "a section with options of its own" in said["pipeline.detect"]


def test_what_the_command_line_overrides_has_no_line_in_the_file() -> None:
    document = parse_config_file(PLACES + "trigger: {max_files_per_trigger: 3}\n", "x.yaml")
    with pytest.raises(ConfigError) as caught:
        build_from(document, overrides=["trigger.max_files_per_trigger=0"])
    assert str(caught.value).startswith("trigger.max_files_per_trigger: ")
    with pytest.raises(ConfigError, match=r"^x\.yaml:3: trigger.max_files_per_trigger: "):
        build_from(parse_config_file(PLACES + "trigger: {max_files_per_trigger: 0}\n", "x.yaml"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source:\n  url: a\n  url: b\n", "x.yaml:3: source.url: given twice, first on line 2: keep one"),
        ("source: {url: a}\nsink: {url: b}\nsource: {glob: c}\n", "x.yaml:3: source: given twice, first on line 1"),
        ("source:\n  url: a\n  glob: *.pdf\n", "put a value that begins with * in quotes"),
        ("a: [\n", "x.yaml:2: not valid YAML"),
    ],
)
def test_what_yaml_lets_pass_or_mumbles_about_is_said_clearly(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config_file(text, "x.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.parametrize("changed", [False, True])
def test_what_is_shown_can_be_pasted_back(document: dict[str, Any], changed: bool) -> None:
    config = build_config({"source": {"url": "a"}, "sink": {"url": "b"}, **document})
    shown = to_yaml(plain(config, changed=changed))
    assert build_config(load_config_file(shown, "pasted")) == config


def test_only_what_differs_is_shown_as_changed() -> None:
    config = build_config({"source": {"url": "a"}, "sink": {"url": "b"}}, preset="ocr-streaming")
    assert plain(config, changed=True) == {"source": {"url": "a"}, "sink": {"url": "b"}, **PRESETS["ocr-streaming"]}


def test_every_default_is_shown() -> None:
    def names(part: Any) -> set[str]:
        return (
            {name for key, value in part.items() for name in (key, *names(value))} if isinstance(part, dict) else set()
        )

    whole: dict[str, Any] = {"pipeline": {"detect": {}, "draw": {}, "preprocess": {"binarize": {}}}}
    config = build_config({"source": {"url": "a"}, "sink": {"url": "b"}, **whole})
    assert names(plain(config)) == names(config.model_dump())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_editors_schema_takes_what_is_shown(document: dict[str, Any]) -> None:
    schema = editor_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    config = build_config({"source": {"url": "a"}, "sink": {"url": "b"}, **document})
    check = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    check.validate(yaml.safe_load(to_yaml({"preset": "ocr-regions", **plain(config)})))


@pytest.mark.parametrize(
    "text",
    ["sinc: {url: a}", "preset: other", "pipeline: {draw: {colour: red}}", "source: {url: a, max_file_age: soon}"],
)
def test_the_editors_schema_finds_mistakes(text: str) -> None:
    check = jsonschema.Draft202012Validator(editor_schema())
    assert not check.is_valid({**yaml.safe_load(PLACES), **yaml.safe_load(text)})


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=10_000)))
def test_a_duration_survives_being_written(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


def test_durations_are_written_as_people_do() -> None:
    given_as = ["500ms", "30s", "90s", "5m", "2h", "36h", "7d", "0s"]
    assert [format_duration(parse_duration(text)) for text in given_as] == given_as
    assert StreamConfig.model_json_schema()["$defs"]["SourceOptions"]["properties"]["stability_delay"]["format"] == (
        "duration"
    ), "the Prefect form shows durations as such"

"""The JSON schema of a configuration file, as an editor uses it."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
import yaml

from inkstream.tasks.config import build_config, editor_schema, plain, to_yaml
from tests.unit.tasks.config.test_writing import DOCUMENTS

PLACES = "source: {url: inbox}\nsink: {url: tables}\n"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_editor_schema_accepts_a_printed_configuration(document: dict[str, Any]) -> None:
    schema = editor_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    config = build_config({"source": {"url": "a"}, "sink": {"url": "b"}, **document})
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.validate(yaml.safe_load(to_yaml({"preset": "ocr-regions", **plain(config)})))


@pytest.mark.parametrize(
    "text",
    ["sinc: {url: a}", "preset: other", "pipeline: {draw: {colour: red}}", "source: {url: a, max_file_age: soon}"],
)
def test_the_editor_schema_rejects_mistakes(text: str) -> None:
    validator = jsonschema.Draft202012Validator(editor_schema())
    assert not validator.is_valid({**yaml.safe_load(PLACES), **yaml.safe_load(text)})

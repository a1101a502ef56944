"""What `inkstream config` prints."""

from __future__ import annotations

import json

import pytest

from inkstream.flows.console.config import print_config_check, print_config_schema, print_config_show
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import ConfigFile, build_config, parse_config_file

PLACES = {"source": {"url": "in"}, "sink": {"url": "out"}}


def check(text: str, capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> tuple[bool, str]:
    wrong = print_config_check(lambda: parse_config_file(text, "a.yaml"), "a.yaml", None, [], as_json=as_json)
    return wrong, capsys.readouterr().out


def test_mistakes_are_printed_with_their_line(capsys: pytest.CaptureFixture[str]) -> None:
    places = "source: {url: in}\nsink: {url: out}\n"
    assert check(places, capsys) == (False, "a.yaml: no mistakes found\n")
    wrong, shown = check(f"{places}streem: x\n", capsys)
    assert wrong
    assert shown == "a.yaml:3: streem: unknown option; did you mean 'stream'?\n"
    _, line = check(f"{places}streem: x\n", capsys, as_json=True)
    assert json.loads(line) == {"line": 3, "path": "streem", "message": "unknown option; did you mean 'stream'?"}


def test_a_file_that_cannot_be_read_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    def read() -> ConfigFile:
        raise ConfigError("a.yaml:7: a tab\na.yaml: too long")

    assert print_config_check(read, "a.yaml", None, [], as_json=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == [
        {"line": 7, "path": "", "message": "a tab"},
        {"line": None, "path": "", "message": "too long"},
    ]


def test_missing_options_are_marked_as_examples(capsys: pytest.CaptureFixture[str]) -> None:
    config = build_config(PLACES)
    print_config_show(config, {"sink.url": "out"}, changed=True, as_json=False)
    assert capsys.readouterr().out == (
        "# sink.url is not given: out is an example\nsource:\n  url: in\nsink:\n  url: out\n"
    )
    print_config_show(config, {"sink.url": "out"}, changed=True, as_json=True)
    shown = capsys.readouterr()
    assert json.loads(shown.out) == PLACES
    assert shown.err == "inkstream: sink.url is not given: out is an example\n"


def test_the_schema_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    print_config_schema()
    assert "pipeline" in json.loads(capsys.readouterr().out)["properties"]

"""Configuration files: their content, its lines, and the mistakes found in them."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_from, examine, load_config_file, parse_config_file

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


def test_all_mistakes_are_reported_at_once_with_their_lines() -> None:
    mistakes = examine(parse_config_file(WRONG, "x.yaml"))
    assert isinstance(mistakes, list)
    assert [(mistake.line, ".".join(mistake.path)) for mistake in mistakes] == [
        (None, "sink"),
        (1, "preset"),
        (4, "source.globb"),
        (6, "trigger.maxFilesPerTrigger"),
        (8, "pipeline.text_layer.mode"),
        (12, "pipeline.recognize.languages.1"),
        (13, "pipeline.resolution"),
        (14, "pipeline.detect"),
    ]
    messages = {".".join(mistake.path): mistake.message for mistake in mistakes}
    assert "did you mean 'ocr-streaming'?" in messages["preset"]
    assert messages["pipeline.text_layer.mode"].endswith(
        "is not one of verify, prefer, ignore, only; did you mean 'prefer'?"
    )
    assert messages["pipeline.resolution"] == (
        "unknown option; did you mean pipeline.render.resolution or pipeline.preprocess.deskew.resolution?"
    )
    assert "a section with options of its own" in messages["pipeline.detect"]


def test_a_mistake_in_an_override_has_no_line_number() -> None:
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
def test_duplicate_keys_and_invalid_yaml_have_clear_messages(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config_file(text, "x.yaml")
    assert message in str(caught.value)

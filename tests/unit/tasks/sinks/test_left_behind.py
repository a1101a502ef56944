"""The small JSON files that a sink keeps beside its table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import build_config
from inkstream.tasks.sinks.left_behind import read_json, write_json, write_pipeline, write_stream


def test_the_configuration_of_a_stream_is_stored(tmp_path: Path) -> None:
    config = build_config({"stream": "letters", "source": {"url": "in"}, "sink": {"url": str(tmp_path)}})
    write_stream(config)
    stored = read_json(str(tmp_path), "streams/letters.json")
    assert stored == config.model_dump(mode="json")
    assert build_config(stored) == config


def test_the_options_and_engine_versions_of_a_pipeline_are_stored(tmp_path: Path) -> None:
    config = build_config({"source": {"url": "in"}, "sink": {"url": str(tmp_path)}})
    write_pipeline(config, "abc", {"tesseract": "5.5"})
    stored = json.loads((tmp_path / "pipelines" / "abc.json").read_text())
    assert (stored["pipeline_id"], stored["engine_versions"]) == ("abc", {"tesseract": "5.5"})
    assert build_config({**config.model_dump(mode="json"), "pipeline": stored["pipeline"]}) == config


def test_a_missing_file_reads_as_none(tmp_path: Path) -> None:
    assert read_json(str(tmp_path), "streams/none.json") is None


def test_an_unwritable_place_is_an_environment_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EnvironmentFault, match=r"cannot write streams/a\.json"):
        write_json(str(tmp_path / "file"), "streams/a.json", {})

"""Configurations that runs stored in the sink."""

from __future__ import annotations

from pathlib import Path

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.queries.stored_configs import read_again_with, stored_config, stored_streams
from inkstream.tasks.sinks.left_behind import write_pipeline, write_stream


def config_of(folder: Path, stream: str = "main", resolution: int = 300) -> StreamConfig:
    return build_config(
        {
            "stream": stream,
            "source": {"url": "in"},
            "sink": {"url": str(folder)},
            "pipeline": {"render": {"resolution": resolution}},
        }
    )


def test_the_only_stream_need_not_be_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no stream has run into"):
        stored_config(str(tmp_path))
    write_stream(config_of(tmp_path))
    assert stored_config(str(tmp_path)) == stored_config(str(tmp_path), "main") == config_of(tmp_path)


def test_the_stream_must_be_named_if_there_are_several(tmp_path: Path) -> None:
    for stream in ("letters", "bills"):
        write_stream(config_of(tmp_path, stream))
    (tmp_path / "streams" / ".bills.json.partial").touch()
    assert stored_streams(str(tmp_path)) == ["bills", "letters"]
    with pytest.raises(ConfigError, match="name one with --stream: bills, letters"):
        stored_config(str(tmp_path))
    with pytest.raises(ConfigError, match=r"no stream 'mani' .* there are: bills, letters"):
        stored_config(str(tmp_path), "mani")
    assert stored_config(str(tmp_path), "bills").stream == "bills"


def test_the_stored_configuration_of_a_moved_sink_has_its_new_url(tmp_path: Path) -> None:
    write_stream(config_of(tmp_path / "before"))
    (tmp_path / "before").rename(tmp_path / "after")
    stored = stored_config(str(tmp_path / "after"), None, ["execution.workers=3"])
    assert (stored.sink.url, stored.execution.workers) == (str(tmp_path / "after"), 3)


def test_a_memory_sink_is_refused() -> None:
    with pytest.raises(ConfigError, match="is lost when that process ends"):
        stored_config("memory://here")


def test_pages_are_read_again_with_the_pipeline_that_made_them(tmp_path: Path) -> None:
    before, now = config_of(tmp_path, resolution=150), config_of(tmp_path)
    write_pipeline(before, "old", {})
    assert read_again_with(now, "old").pipeline == before.pipeline
    assert read_again_with(now, "unknown") == read_again_with(now, None) == now
    assert read_again_with(now, "old", ["pipeline.render.resolution=200"]).pipeline.render.resolution == 200

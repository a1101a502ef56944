"""What a configuration knows about sink formats."""

from __future__ import annotations

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import build_config, build_sink_options
from inkstream.tasks.config.sink_formats import SINK_FORMATS, needs_versions, require_lasting_place


@pytest.mark.parametrize(
    ("sink", "message"),
    [
        ({"url": "memory://a", "format": "delta"}, "a delta sink cannot be kept on memory://; give a local folder"),
        ({"url": "a", "format": "memory"}, "a memory sink cannot be kept in a local folder; give memory://NAME"),
        ({"url": "gs://b/a", "format": "parquet"}, "a parquet sink cannot be kept on gs://; give a local folder"),
        ({"url": "ftp://host/a"}, "a delta sink cannot be kept on ftp://; give a local folder"),
        ({"url": "memory://a", "mode": "upsert"}, "mode upsert needs format delta: memory cannot replace rows"),
        ({"url": "a", "format": "detla"}, "not one of delta, parquet, memory; did you mean 'delta'?"),
    ],
)
def test_impossible_sinks_are_refused(sink: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config({"source": {"url": "a"}, "sink": sink})
    assert message in str(caught.value)


def test_a_memory_sink_excludes_cleaning_and_pictures() -> None:
    memory = {"url": "memory://a"}
    with pytest.raises(ConfigError, match="only in memory"):
        build_config({"source": {"url": "a", "clean_source": "delete"}, "sink": memory})
    with pytest.raises(ConfigError, match="pictures cannot be kept in a memory sink"):
        build_config({"source": {"url": "a"}, "sink": memory, "pipeline": {"draw": {}}})
    options = build_config({"source": {"url": "a"}, "sink": memory}).sink
    assert (options.format, options.traits) == ("memory", SINK_FORMATS["memory"])


def test_only_places_where_a_sink_lasts_are_accepted() -> None:
    for url in ("tables", "/tables", "s3a://bucket/tables", "gs://bucket/tables"):
        require_lasting_place(url)
    with pytest.raises(
        ConfigError, match=r"is lost when that process ends: this needs sink\.format delta\. Give another folder"
    ):
        require_lasting_place("memory://here")
    with pytest.raises(ConfigError, match=r"'ftp://host/t': a delta sink cannot be kept on ftp://"):
        require_lasting_place("ftp://host/t")


def test_the_error_names_every_format_that_keeps_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "this needs sink.format delta. " in str(needs_versions("it does not"))
    for name in ("other", "third"):
        monkeypatch.setitem(SINK_FORMATS, name, SINK_FORMATS["delta"])
    assert "it does not: this needs sink.format delta, other or third. " in str(needs_versions("it does not"))


def test_sink_options_can_be_built_alone() -> None:
    assert build_sink_options({"url": "tables"}).format == "delta"
    with pytest.raises(ConfigError, match="must not have a user or password"):
        build_sink_options({"url": "s3://key:secret@bucket/tables"})

"""`maintain` works on each part of a sink in turn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from inkstream.flows.loop.maintain import maintain
from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.config import MaintainOptions, StreamConfig
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.overlays import overlay_key, put_overlay
from tests.integration.command import inkstream
from tests.integration.tasks.sinks.delta.test_vacuum import FILES, age, everything, fill_table, parts
from tests.integration.test_commit_processes import commit, make_config, make_inbox, plan

T = TypeVar("T")


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, FILES)
    return make_config(tmp_path, max_files_per_trigger=1)


def test_tables_are_compacted_and_vacuumed_and_overlays_only_vacuumed(config: StreamConfig) -> None:
    fill_table(config)
    labels: list[str] = []

    def step(name: str, label: str, call: Callable[[], T]) -> T:
        labels.append(label)
        return call()

    done = maintain(config.sink.url, MaintainOptions(), step=step)
    assert labels == [
        "check the tables",
        "compact pages",
        "vacuum pages",
        "compact files",
        "vacuum files",
        "vacuum overlays",
    ]
    assert [(part.name, part.merged, part.version) for part in done] == [
        ("pages", FILES, FILES + 1),
        ("files", FILES, FILES + 1),
        ("overlays", 0, None),
    ]


def test_a_sink_without_versions_and_a_missing_sink_are_refused(tmp_path: Path, config: StreamConfig) -> None:
    with pytest.raises(ConfigError, match="there is no table at"):
        maintain(str(tmp_path / "none"), MaintainOptions())
    parquet = config.model_copy(update={"sink": config.sink.model_copy(update={"format": "parquet"})})
    commit(parquet, plan(parquet)[0])
    with pytest.raises(ConfigError, match=r"have no versions.*needs sink\.format delta"):
        maintain(parquet.sink.url, MaintainOptions())


def test_a_dry_run_changes_nothing_and_counts_what_would_be_removed(config: StreamConfig, tmp_path: Path) -> None:
    fill_table(config)
    orphan = put_overlay(config.sink.url, overlay_key("a", 0, "p", "jpg"), b"picture of a")
    age(Path(orphan))
    before = everything(tmp_path)
    done = parts(maintain(config.sink.url, MaintainOptions(dry_run=True)))
    assert everything(tmp_path) == before
    assert (done["pages"].merged, done["pages"].into, done["pages"].removed) == (FILES, 1, 0)
    assert (done["overlays"].removed, done["overlays"].removed_bytes) == (1, len(b"picture of a"))


def test_the_maintain_command_prints_what_it_did(config: StreamConfig, tmp_path: Path) -> None:
    fill_table(config)
    sink = config.sink.url
    assert "24h" in inkstream("maintain", sink, "--retention", "1h", code=2).stderr
    assert (
        "pages: would merge 8 files into 1; nothing to remove"
        in inkstream("maintain", sink, "--dry-run", "--prefect", "off").stdout
    )
    shown = inkstream("maintain", sink, "--prefect", "off").stdout
    assert "pages: merged 8 files into 1; nothing to remove; version 9, with a checkpoint" in shown
    assert "nothing to merge" in inkstream("maintain", sink, "--prefect", "off").stdout
    assert "no table" in inkstream("maintain", str(tmp_path / "none"), "--prefect", "off", code=2).stderr
    assert f"{MaintainOptions().retention.days}d by default" in " ".join(inkstream("maintain", "--help").stdout.split())


def test_a_check_finds_damage_everywhere_and_repairs_it(config: StreamConfig) -> None:
    fill_table(config)
    assert "check: nothing is damaged" in inkstream("maintain", config.sink.url, "--check").stdout
    (data,) = {Path(uri) for uri in PagesTable(config.sink.url).open().file_uris()}
    content = data.read_bytes()
    data.write_bytes(content[:100] + bytes(len(content) - 100))
    before = everything(Path(config.sink.url))
    found = inkstream("maintain", config.sink.url, "--check", "--dry-run").stdout
    assert f"check: {data} is not a complete Parquet file" in found
    assert everything(Path(config.sink.url)) == before
    assert "taken back" in inkstream("maintain", config.sink.url, "--check").stdout
    assert "check: nothing is damaged" in inkstream("maintain", config.sink.url, "--check").stdout

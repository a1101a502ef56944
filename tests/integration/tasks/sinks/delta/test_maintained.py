"""The measurements of a Delta table, and the plan of its maintenance."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from inkstream.tasks.config import StreamConfig
from inkstream.tasks.progress import Compacted
from inkstream.tasks.sinks.delta.maintained import MaintainedDeltaTable
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.versioned import Removed, TableSize
from tests.integration.committing import project_ledger, versioned
from tests.integration.test_commit_processes import commit, make_config, make_inbox, plan

NOW = timedelta(0)


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 4)
    config = make_config(tmp_path, max_files_per_trigger=1)
    for batch in plan(config):
        commit(config, batch)
    return config


@pytest.fixture
def table(config: StreamConfig) -> MaintainedDeltaTable:
    return MaintainedDeltaTable(PagesTable(config.sink.url))


def data_bytes(table: MaintainedDeltaTable) -> int:
    return sum(path.stat().st_size for path in Path(table.url).glob("*.parquet"))


def test_the_size_of_a_table_is_that_of_its_latest_version(table: MaintainedDeltaTable) -> None:
    assert (table.name, table.version()) == ("pages", 4)
    assert table.size() == TableSize(4, 4, data_bytes(table), 8)


def test_mergeable_predicts_what_compact_merges(table: MaintainedDeltaTable) -> None:
    predicted = table.mergeable(128)
    assert predicted == Compacted(table.url, 4, 1)
    assert table.version() == 4
    assert table.compact(128) == predicted
    assert table.mergeable(128) == Compacted(table.url)
    assert table.size().files == 1


def test_a_vacuum_raises_the_oldest_version(table: MaintainedDeltaTable) -> None:
    before = data_bytes(table)
    table.compact(128)
    assert table.oldest_version() == 0
    assert table.vacuum(NOW, dry_run=True) == Removed(4, before)
    assert table.oldest_version() == 0
    assert table.vacuum(NOW, dry_run=False) == Removed(4, before)
    assert table.oldest_version() == 5, "the version of the compaction"


def test_a_sink_has_only_the_tables_that_exist(config: StreamConfig, tmp_path: Path) -> None:
    assert versioned(str(tmp_path / "none")).tables() == []
    assert [table.name for table in versioned(config.sink.url).tables()] == ["pages"]
    project_ledger(config)
    assert [table.name for table in versioned(config.sink.url).tables()] == ["pages", "files"]

"""The tables of a Delta sink are created, opened and refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.delta import commit as commit_table
from inkstream.tasks.sinks.delta.tables import VERSION_PROPERTY, PagesTable
from tests.integration.test_commit_processes import (
    commit,
    drive,
    found_rows,
    make_config,
    make_inbox,
    plan,
    wanted_rows,
)


def test_a_newer_schema_is_refused(config: StreamConfig) -> None:
    table = PagesTable(config.sink.url).create()
    table.alter.set_table_properties({VERSION_PROPERTY: "99"}, raise_if_not_exists=False)
    with pytest.raises(EnvironmentFault, match="schema version 99"):
        plan(config)


def test_an_older_table_gains_new_columns_and_keeps_extra_ones(config: StreamConfig) -> None:
    pages = PagesTable(config.sink.url)
    old = pa.schema([f for f in PAGES_SCHEMA if f.name != "overlay_path"]).append(pa.field("label", pa.string()))
    DeltaTable.create(pages.url, schema=old)
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)
    names = pages.open().schema().to_arrow().names
    assert {"overlay_path", "label"} <= set(names)
    assert pages.rows().column("label").null_count == 12


def test_transaction_versions_survive_a_checkpoint(config: StreamConfig) -> None:
    batch = plan(config)[0]
    PagesTable(config.sink.url).create()
    for number in range(102):
        files = tuple(replace(file, etag=f"e{number}") for file in batch.files[:1])
        commit(config, replace(batch, files=files, attempt_id=f"a{number}", planned_at=number - 1))
    pages = PagesTable(config.sink.url)
    assert list((Path(pages.url) / "_delta_log").glob("*.checkpoint.parquet"))
    assert pages.open().transaction_version("main") == 101


def test_reading_a_missing_table_names_the_command_that_creates_it(tmp_path: Path) -> None:
    pages = PagesTable(str(tmp_path / "none"))
    assert pages.version() is None
    with pytest.raises(ConfigError, match="inkstream run"):
        pages.rows()


def test_rows_are_read_only_at_versions_that_exist(config: StreamConfig) -> None:
    drive(config, "")
    pages = PagesTable(config.sink.url)
    assert pages.rows(version=1).num_rows == 6
    assert pages.rows(limit=4, columns=["batch_id"]).to_pylist() == [{"batch_id": 1}] * 4
    with pytest.raises(ConfigError, match="no version 99"):
        pages.rows(version=99)


@pytest.mark.parametrize("name", ["a%41b", "a[b", "a#b", "a^b", "a|b", "a\\b"])
def test_sink_names_that_the_table_library_mishandles_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="Delta tables do not support"):
        PagesTable(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a b", "é", "o'clock", "a&b=c", "(x)"])
def test_other_odd_sink_names_work(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    make_inbox(tmp_path / name, 2)
    config = make_config(tmp_path / name)
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)
    handle = PagesTable(config.sink.url).open()
    assert commit_table.find_commit(handle, "nobody's", 0) is None
    assert len(handle.history()) == 2

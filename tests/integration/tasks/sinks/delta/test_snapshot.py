"""A snapshot of a Delta table stays the same, whatever happens to the table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from inkstream.ocr_core.errors import ConfigError, TransientError
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.integration.test_commit_processes import commit, make_config, make_inbox, plan

KEY = ["path", "pagenum", "batch_id"]


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 3)
    config = make_config(tmp_path, max_files_per_trigger=1)
    for batch in plan(config)[:2]:
        commit(config, batch)
    return config


@pytest.fixture
def pages(config: StreamConfig) -> PagesTable:
    return PagesTable(config.sink.url)


def test_a_snapshot_stays_at_its_version(config: StreamConfig, pages: PagesTable) -> None:
    snapshot, past = pages.snapshot(), pages.snapshot(1)
    commit(config, plan(config)[0])
    assert (snapshot.version, past.version, pages.version()) == (2, 1, 3)
    assert snapshot.url == pages.url
    assert snapshot.columns == PAGES_SCHEMA.names
    assert (snapshot.transaction_version("main"), snapshot.transaction_version("other")) == (1, -1)
    assert snapshot.query("SELECT count(*) AS n FROM this").column("n").to_pylist() == [4]
    chunks = list(snapshot.scan(["path"], "pagenum = 0", 1))
    assert sum(chunk.num_rows for chunk in chunks) == 2
    assert past.query("SELECT 1 FROM this").num_rows == 2


def test_rows_beyond_leaves_out_rows_of_both_versions(config: StreamConfig, pages: PagesTable) -> None:
    old, new = pages.snapshot(1), pages.snapshot()
    (added,) = new.rows_beyond(old, KEY)
    assert added.column("batch_id").to_pylist() == [1, 1]
    assert list(old.rows_beyond(new, KEY)) == []
    assert list(new.rows_beyond(new, KEY)) == []


def test_rows_beyond_includes_replaced_rows(config: StreamConfig, pages: PagesTable) -> None:
    first = plan(config.model_copy(update={"stream": "unused"}))[0]
    again = replace(first, stream="main", attempt_id="again", planned_at=1)
    before = pages.snapshot()
    commit(config, again, replace=(0,), text="better")
    after = pages.snapshot()
    texts = [row["text"] for rows in after.rows_beyond(before, ["text"]) for row in rows.to_pylist()]
    assert texts.count("better") == 2


def test_a_vacuumed_version_is_distinguished_from_a_failing_store(config: StreamConfig, pages: PagesTable) -> None:
    past, latest = pages.snapshot(1), pages.snapshot()
    pages.open().optimize.compact()
    DeltaTable(pages.url).vacuum(0, dry_run=False, enforce_retention_duration=False)
    for read in (
        lambda: past.query("SELECT text FROM this"),
        lambda: list(past.scan(["text"], "true", 10)),
        lambda: list(past.rows_beyond(pages.snapshot(), ["text"])),
    ):
        with pytest.raises(ConfigError, match=r"version 1 of .* can no longer be read: `inkstream maintain`"):
            read()
    with pytest.raises(TransientError, match="cannot read"):
        latest.query("SELECT text FROM this")

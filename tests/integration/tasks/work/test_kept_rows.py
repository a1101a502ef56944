"""Rows are kept when other pages of their file are re-read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch, PagesAgain, Redo
from inkstream.tasks.rows import ROWS_SCHEMA
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.work import kept_rows
from inkstream.tasks.work.kept_rows import keep_other_pages
from tests.integration.test_commit_processes import PAGES, commit, make_config, make_inbox, plan


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 2)
    return make_config(tmp_path)


@pytest.fixture
def batch(config: StreamConfig) -> Batch:
    """Return a batch of two committed files, of which the first one's second page is re-read."""
    (planned,) = plan(config)
    version = commit(config, planned).version
    return replace(planned, planned_at=0, redo=Redo(version, {0: PagesAgain(PAGES, (1,), "h")}))


def test_other_pages_are_kept_from_the_planned_version_without_stamps(
    config: StreamConfig, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_rows, "_CHUNK_ROWS", 1)
    commit(config, replace(batch, attempt_id="meanwhile", redo=None), replace=(0, 1), text="newer")
    with ResultSpool() as spool:
        assert keep_other_pages(open_sink(config.sink), batch, 0, spool) == 1
        (rows,) = spool.read(0)
    assert rows.schema.names == ROWS_SCHEMA.names
    assert [(row["pagenum"], row["text"]) for row in rows.to_pylist()] == [(0, "text")]


def test_no_rows_are_kept_of_a_file_that_is_read_whole(config: StreamConfig, batch: Batch) -> None:
    with ResultSpool() as spool:
        assert keep_other_pages(open_sink(config.sink), batch, 1, spool) == 0
        assert keep_other_pages(open_sink(config.sink), replace(batch, redo=None), 0, spool) == 0
        assert spool.pages(0) == spool.pages(1) == frozenset()


def test_a_sink_without_versions_cannot_keep_rows(config: StreamConfig, batch: Batch) -> None:
    parquet = open_sink(config.sink.model_copy(update={"format": "parquet"}))
    with ResultSpool() as spool, pytest.raises(ConfigError, match="have no versions"):
        keep_other_pages(parquet, batch, 0, spool)

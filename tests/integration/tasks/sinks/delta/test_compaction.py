"""Compaction moves the same rows into fewer files while others write and read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, TableFeatures, write_deltalake

from inkstream.flows.loop.maintain import maintain
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import MaintainOptions, StreamConfig
from inkstream.tasks.progress import Compacted
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.delta import compaction
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.delta.vacuum import try_to_compact
from inkstream.tasks.sinks.sql import committed_since
from inkstream.tasks.stores import create_whole
from tests.integration.committing import discover
from tests.integration.tasks.sinks.delta.test_vacuum import FILES, data_files, fill_table, parts, replace_rows
from tests.integration.test_commit_processes import commit, found_rows, make_config, make_inbox, plan, wanted_rows


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, FILES)
    return make_config(tmp_path, max_files_per_trigger=1)


def test_compaction_keeps_rows_known_files_and_statistics(config: StreamConfig) -> None:
    fill_table(config)
    pages = PagesTable(config.sink.url)
    done = parts(maintain(config.sink.url, MaintainOptions()))
    assert [(done[name].merged, done[name].into) for name in ("pages", "files")] == [(FILES, 1), (FILES, 1)]
    assert found_rows(config) == wanted_rows(config)
    handle = pages.open()
    assert len(handle.file_uris()) == 1
    assert handle.transaction_version("main") == FILES - 1
    (file,) = pa.table(handle.get_add_actions(flatten=True)).to_pylist()
    assert (file["min.batch_id"], file["max.batch_id"]) == (0, FILES - 1)
    assert (Path(pages.url) / "_delta_log" / f"{handle.version():020}.checkpoint.parquet").exists()
    assert discover(config).known == FILES
    assert len(committed_since(pages.snapshot(), "main", FILES - 3)) == 2
    assert pages.rows(version=3).num_rows == 6


def test_a_recheck_does_not_read_compacted_files(config: StreamConfig, tmp_path: Path) -> None:
    *most, last = plan(config)
    for batch in most:
        commit(config, batch)
    compact(PagesTable(config.sink.url), 128)
    commit(config, last)
    handle = PagesTable(config.sink.url).open()
    snapshot = PagesTable(config.sink.url).snapshot()
    (big,) = (f for f in pa.table(handle.get_add_actions(flatten=True)).to_pylist() if f["num_records"] > 2)
    (Path(handle.table_uri.removeprefix("file://")) / big["path"]).unlink()  # reading it would fail
    assert committed_since(snapshot, "main", FILES - 2) == {last.files[0].key}


def test_a_compacted_table_is_left_alone(config: StreamConfig) -> None:
    fill_table(config)
    pages = PagesTable(config.sink.url)
    assert compact(pages, 128).merged == FILES
    assert compact(pages, 128) == Compacted(pages.url)


def test_a_file_of_at_least_the_target_size_is_left_alone(config: StreamConfig) -> None:
    first, *others = plan(config)
    commit(config, first, text=secrets.token_hex(2 << 20))  # random, so that it stays larger than 1 MiB
    pages = PagesTable(config.sink.url)
    (large,) = pages.open().file_uris()
    for batch in others:
        commit(config, batch)
    done = compact(pages, 1)
    assert (done.merged, done.into) == (FILES - 1, 1)
    assert large in pages.open().file_uris()
    assert compact(pages, 128).merged == 2, "only its size kept it"
    assert found_rows(config) == wanted_rows(config)


def break_in(monkeypatch: pytest.MonkeyPatch, action: Callable[[], object], *, lands: bool = False) -> None:
    """Call `action` just before a compaction's commit; with `lands`, let the commit land and lose its reply."""
    calls: list[str] = []

    def create(protocol: str, path: str, data: bytes) -> None:
        calls.append(path)
        if len(calls) == 1:
            action()
            if lands:
                create_whole(protocol, path, data)
                raise FileExistsError(path)
        create_whole(protocol, path, data)

    monkeypatch.setattr(compaction, "create_whole", create)


def test_only_one_of_two_racing_compactions_lands(config: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_table(config)
    pages = PagesTable(config.sink.url)
    break_in(monkeypatch, lambda: compact(pages, 128))
    assert compact(pages, 128).merged == 0
    assert found_rows(config) == wanted_rows(config)
    assert len(data_files(pages)) == FILES + 1  # the file that was written in vain is removed


def test_a_compaction_keeps_a_replacement_that_overtakes_it(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_table(config)
    break_in(monkeypatch, lambda: replace_rows(config, 1))
    assert compact(PagesTable(config.sink.url), 128).merged == FILES
    assert found_rows(config) == wanted_rows(config)
    assert PagesTable(config.sink.url).rows(columns=["text"]).column(0).to_pylist().count("text 0") == 2


def test_a_compaction_lands_beside_an_append(config: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    *most, last = plan(config)
    for batch in most:
        commit(config, batch)
    break_in(monkeypatch, lambda: commit(config, last))
    assert compact(PagesTable(config.sink.url), 128).merged == FILES - 1
    assert found_rows(config) == wanted_rows(config)
    assert len(PagesTable(config.sink.url).open().file_uris()) == 2


def test_a_compaction_whose_reply_is_lost_counts_as_done(config: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_table(config)
    break_in(monkeypatch, lambda: None, lands=True)
    assert compact(PagesTable(config.sink.url), 128).merged == FILES
    assert found_rows(config) == wanted_rows(config)


def test_compaction_adds_missing_columns_to_older_files(config: StreamConfig) -> None:
    pages = PagesTable(config.sink.url)
    old = pa.schema([field for field in PAGES_SCHEMA if field.name != "overlay_path"])
    DeltaTable.create(pages.url, schema=old)
    row = {"stream": "older", "path": "a", "batch_id": 0}
    write_deltalake(pages.open(), pa.Table.from_pylist([row], old), mode="append")
    fill_table(config)
    before = sorted(map(str, pages.rows().to_pylist()))
    compact(pages, 128)
    assert sorted(map(str, pages.rows().to_pylist())) == before


def test_a_table_with_unsupported_features_is_not_compacted(config: StreamConfig) -> None:
    fill_table(config)
    table = PagesTable(config.sink.url)
    table.open().alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    with pytest.raises(EnvironmentFault, match="compact_every"):
        compact(table, 128)
    done, _ = try_to_compact(config.sink)
    assert "this compaction does not support" in str(done.problem)

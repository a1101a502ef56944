"""What is returned as committed was synced before: data files, log entries and folders."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.tables import PagesTable
from tests.integration.committing import discover, project_ledger
from tests.integration.test_commit_processes import commit, make_config, make_inbox, plan


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 3)
    return make_config(tmp_path, max_files_per_trigger=1)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files and folders that were synced, in order."""
    paths: list[Path] = []
    monkeypatch.setattr(os, "fsync", recorder(paths))
    return paths


def recorder(paths: list[Path], failing: str = "") -> Callable[[int], None]:
    fsync = os.fsync

    def record(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if failing and path.match(failing):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(descriptor)
        paths.append(path)

    return record


def everything(table: Path) -> set[Path]:
    return {table, table / "_delta_log", *table.glob("*.parquet"), *table.glob("_delta_log/*.json")}


def test_a_commit_is_synced_before_it_counts_and_only_once(config: StreamConfig, synced: list[Path]) -> None:
    first, second, _ = plan(config)
    table = Path(PagesTable(config.sink.url).url)
    commit(config, first)
    assert everything(table) | {table.parent, table.parent.parent} <= set(synced)
    data = next(table.glob("*.parquet"))
    assert synced.index(data) < len(synced) - 1 - synced[::-1].index(table), "its name comes after its bytes"
    there = everything(table)
    synced.clear()
    commit(config, second)
    assert everything(table) - there <= set(synced)


def test_the_ledger_is_written_after_the_pages_are_synced(config: StreamConfig, synced: list[Path]) -> None:
    commit(config, plan(config)[0])
    synced.clear()
    project_ledger(config)
    kinds = [path.relative_to(config.sink.url).parts[0] for path in synced if path.match("*.json")]
    assert kinds == ["pages", "pages", "files", "files"]


def test_what_another_driver_has_committed_is_synced_before_it_counts_as_known(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its documents may be removed from the source."""
    quick = config.model_copy(update={"sink": config.sink.model_copy(update={"durable": False})})
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", recorder(synced))
    commit(quick, plan(quick)[0])
    assert [path for path in synced if path.match("pages/*")] == []
    assert len(discover(config).files) == 2
    assert everything(Path(PagesTable(config.sink.url).url)) <= set(synced)


def test_old_entries_and_merged_files_go_after_their_substitutes_are_synced(
    config: StreamConfig, synced: list[Path]
) -> None:
    for batch in plan(config):
        commit(config, batch)
    synced.clear()
    assert compact(PagesTable(config.sink.url), 128).merged == 3
    (merged,) = PagesTable(config.sink.url).open().file_uris()
    assert Path(merged) in synced
    assert any(path.match("*.checkpoint.parquet") for path in synced)


@pytest.mark.parametrize("failing", ["*.parquet", "*.json", "pages", "_delta_log"])
def test_a_disk_that_does_not_take_it_ends_the_run(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """A second attempt may succeed although the bytes are lost."""
    pages = PagesTable(config.sink.url)
    first, *_ = plan(config)
    quick = config.model_copy(update={"sink": config.sink.model_copy(update={"durable": False})})
    version = commit(quick, first).version
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", recorder([], failing))
        with pytest.raises(EnvironmentFault, match="durable") as raised:
            pages.make_durable(version)
    assert "disk" in raised.value.remedy
    with pytest.raises(EnvironmentFault, match="durable"):
        pages.make_durable(version)
    PagesTable(config.sink.url).make_durable(version)

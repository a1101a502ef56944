"""The commit loop, the ledger and discovery on a real table, in one process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError

from inkstream.ocr_core.errors import EnvironmentFault, TransientError
from inkstream.tasks import retries
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.sinks.delta import commit as commit_table
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.tables import PagesTable
from inkstream.tasks.sinks.sql import committed_since
from inkstream.tasks.source.listing import list_files
from tests.integration.committing import commit_to, discover, project_ledger
from tests.integration.test_commit_processes import (
    commit,
    drive,
    fill,
    found_rows,
    plan,
    wanted_rows,
)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "pause", lambda _: None)


Write = Callable[..., None]


def break_write(monkeypatch: pytest.MonkeyPatch, *, lands: bool, error: Exception, times: int = 1) -> list[int]:
    """Make the next writes fail (with `lands`, after they landed); return a list that gets an item for each."""
    broken: list[int] = []

    def write(*args: Any, **options: Any) -> None:
        if len(broken) >= times:
            write_deltalake(*args, **options)
            return
        broken.append(1)
        if lands:
            write_deltalake(*args, **options)
        raise error

    monkeypatch.setattr(commit_table, "write_deltalake", write)
    return broken


@pytest.mark.parametrize("error", [CommitFailedError("reset"), OSError("timeout"), PermissionError("no")])
def test_a_commit_that_landed_without_a_reply_is_not_repeated(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    batch = plan(config)[0]
    assert break_write(monkeypatch, lands=True, error=error) == []
    committed = commit(config, batch)
    assert (committed.batch_id, committed.files, committed.version) == (0, (0, 1, 2), 1)
    assert set(found_rows(config).values()) == {1}


def test_a_failed_write_is_repeated(config: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = break_write(monkeypatch, lands=False, error=OSError("Generic S3 error: 503"), times=3)
    assert commit(config, plan(config)[0]).batch_id == 0
    assert len(broken) == 3


def test_a_write_that_keeps_failing_is_a_transient_fault(config: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    break_write(monkeypatch, lands=False, error=OSError("Generic S3 error: 503"), times=100)
    with pytest.raises(TransientError, match="503"):
        commit(config, plan(config)[0])
    assert not found_rows(config)


def test_a_forbidden_write_is_an_environment_fault_at_once(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = break_write(monkeypatch, lands=False, error=PermissionError("403 Forbidden"), times=100)
    with pytest.raises(EnvironmentFault, match="remedy"):
        commit(config, plan(config)[0])
    assert len(broken) == 1


def test_a_failed_checkpoint_does_not_repeat_its_commit(config: StreamConfig) -> None:
    pages = PagesTable(config.sink.url)
    pages.create().alter.set_table_properties({"delta.checkpointInterval": "2"})
    obstacle = Path(pages.url) / "_delta_log" / f"{3:020}.checkpoint.parquet"
    (obstacle / "in the way").mkdir(parents=True)
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)


def test_a_stale_plan_commits_only_the_remaining_files(config: StreamConfig) -> None:
    mine, theirs = plan(config), plan(config)
    commit(config, theirs[0])
    overlapping = replace(mine[0], files=(*mine[0].files[:2], *mine[1].files))
    committed = commit(config, overlapping)
    assert (committed.files, committed.already_done) == ((2, 3, 4), (0, 1))
    again = commit(config, mine[1])
    assert (again.batch_id, again.already_done) == (None, (0, 1, 2))
    assert found_rows(config) == wanted_rows(config)


def test_a_plan_from_a_deleted_table_is_refused(config: StreamConfig) -> None:
    first, second = plan(config)
    commit(config, first)
    shutil.rmtree(PagesTable(config.sink.url).url)
    with pytest.raises(TransientError, match="plan again"):
        commit(config, replace(second, planned_at=0))


def test_streams_in_one_table_are_separate(config: StreamConfig) -> None:
    other = config.model_copy(update={"stream": "other"})
    drive(config, "")
    drive(other, "")
    assert found_rows(config) == found_rows(other) == wanted_rows(config)
    assert discover(config).known == discover(other).known == 6


def test_a_replacement_replaces_only_the_rows_of_its_file_versions(config: StreamConfig) -> None:
    other = config.model_copy(update={"stream": "other"})
    drive(config, "")
    drive(other, "")
    found = discover(config)
    batch = replace(plan_again(config), planned_at=found.planned_at)
    committed = commit(config, batch, replace=(0, 1), text="better")
    assert committed.batch_id == found.planned_at + 1
    assert found_rows(config) == found_rows(other) == wanted_rows(config)
    rows = PagesTable(config.sink.url).rows().to_pylist()
    better = {(row["stream"], row["path"]) for row in rows if row["text"] == "better"}
    assert better == {("main", file.path) for file in batch.files}
    project_ledger(config)
    assert plan(config) == []
    stale = commit(config, replace(batch, attempt_id="late"), replace=(0, 1), text="worse")
    assert (stale.batch_id, stale.already_done) == (None, (0, 1))


@pytest.mark.parametrize("whose", ["ours", "deltalake's"])
def test_a_replacement_that_a_compaction_overtakes_is_repeated(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """The compacted file has the old rows, and the copies of their neighbours that a replacement writes."""
    drive(config, "")
    batch = replace(plan_again(config), planned_at=discover(config).planned_at)
    calls: list[int] = []

    def write(*args: Any, **options: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            pages = PagesTable(config.sink.url)
            assert compact(pages, 128).merged if whose == "ours" else pages.open().optimize.compact()
        write_deltalake(*args, **options)

    monkeypatch.setattr(commit_table, "write_deltalake", write)
    assert commit(config, batch, replace=(0, 1), text="better").files == (0, 1)
    assert len(calls) == 2
    assert found_rows(config) == wanted_rows(config)
    texts = [row["text"] for row in PagesTable(config.sink.url).rows().to_pylist()]
    assert texts.count("better") == 4


def plan_again(config: StreamConfig) -> Any:
    from inkstream.tasks.model import Batch

    return Batch(config.stream, "again", tuple(list_files(config.source)[:2]), -1)


def test_a_recheck_reads_only_new_files(config: StreamConfig) -> None:
    first, second = plan(config)
    commit(config, first)
    for data in Path(PagesTable(config.sink.url).url).glob("*.parquet"):
        data.unlink()  # reading it would fail
    commit(config, replace(second, planned_at=0))
    found = committed_since(PagesTable(config.sink.url).snapshot(), "main", 0)
    assert found == frozenset(file.key for file in second.files)


def test_rows_that_cannot_be_read_are_a_transient_fault(config: StreamConfig) -> None:
    first, second = plan(config)
    commit(config, first)
    for data in Path(PagesTable(config.sink.url).url).glob("*.parquet"):
        data.unlink()
    with pytest.raises(TransientError, match="cannot read"):
        commit(config, second)
    with pytest.raises(TransientError, match="cannot read"):
        discover(config)


def test_a_file_with_pages_missing_is_never_committed(config: StreamConfig) -> None:
    batch = plan(config)[0]
    with ResultSpool() as spool:
        fill(spool, replace(batch, files=batch.files[:2]))
        with pytest.raises(ValueError, match="one row for each page"):
            commit_to(config, batch, spool, [0, 1, 2])
    assert not PagesTable(config.sink.url).exists()


def test_a_spool_that_cannot_be_read_fails_the_commit_with_its_own_error(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(self: ResultSpool, index: int) -> Any:
        if index >= 0:
            raise TransientError("the disk is gone")
        yield

    monkeypatch.setattr(ResultSpool, "read", read)
    with pytest.raises(TransientError, match="the disk is gone"):
        commit(config, plan(config)[0])

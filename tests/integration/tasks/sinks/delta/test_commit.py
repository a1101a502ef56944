"""The commit loop, the ledger and discovery on a real table, in one process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, TransientError
from inkstream.tasks.commit import loop as commit_module
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig, TriggerOptions
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.delta import commit as commit_table
from inkstream.tasks.sinks.delta import sink as delta_sink
from inkstream.tasks.sinks.delta.commit import committed_since
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.ledger import LedgerProjection, project_ledger
from inkstream.tasks.sinks.delta.tables import VERSION_PROPERTY, LedgerTable, PagesTable
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source.discovery import compare, discover
from inkstream.tasks.source.listing import list_files
from tests.integration.committing import commit_to
from tests.integration.test_commit_processes import (
    commit,
    drive,
    fill,
    found_rows,
    make_config,
    make_inbox,
    plan,
    wanted_rows,
)


@pytest.fixture
def config(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 6)
    return make_config(tmp_path, max_files_per_trigger=3)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_module, "_sleep", lambda _: None)


Write = Callable[..., None]


def break_write(monkeypatch: pytest.MonkeyPatch, *, lands: bool, error: Exception, times: int = 1) -> list[int]:
    """Makes the next writes fail, after or instead of landing. Returns a list that grows with each."""
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


def test_a_write_that_failed_is_repeated(config: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = break_write(monkeypatch, lands=False, error=OSError("Generic S3 error: 503"), times=3)
    assert commit(config, plan(config)[0]).batch_id == 0
    assert len(broken) == 3


def test_a_write_that_keeps_failing_is_the_moments_fault(config: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    break_write(monkeypatch, lands=False, error=OSError("Generic S3 error: 503"), times=100)
    with pytest.raises(TransientError, match="503"):
        commit(config, plan(config)[0])
    assert not found_rows(config)


def test_a_forbidden_write_is_the_environments_fault_at_once(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = break_write(monkeypatch, lands=False, error=PermissionError("403 Forbidden"), times=100)
    with pytest.raises(EnvironmentFault, match="remedy"):
        commit(config, plan(config)[0])
    assert len(broken) == 1


def test_a_checkpoint_that_cannot_be_written_does_not_repeat_its_commit(config: StreamConfig) -> None:
    pages = PagesTable(config.sink.url)
    pages.create().alter.set_table_properties({"delta.checkpointInterval": "2"})
    obstacle = Path(pages.url) / "_delta_log" / f"{3:020}.checkpoint.parquet"
    (obstacle / "in the way").mkdir(parents=True)
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)


def test_a_stale_plan_commits_only_what_is_left(config: StreamConfig) -> None:
    mine, theirs = plan(config), plan(config)
    commit(config, theirs[0])
    overlapping = replace(mine[0], files=(*mine[0].files[:2], *mine[1].files))
    committed = commit(config, overlapping)
    assert (committed.files, committed.already_done) == ((2, 3, 4), (0, 1))
    again = commit(config, mine[1])
    assert (again.batch_id, again.already_done) == (None, (0, 1, 2))
    assert found_rows(config) == wanted_rows(config)


def test_a_plan_from_a_table_that_was_replaced_is_refused(config: StreamConfig) -> None:
    first, second = plan(config)
    commit(config, first)
    shutil.rmtree(PagesTable(config.sink.url).url)
    with pytest.raises(TransientError, match="plan again"):
        commit(config, replace(second, planned_at=0))


def test_streams_are_apart_in_one_table(config: StreamConfig) -> None:
    other = config.model_copy(update={"stream": "other"})
    drive(config, "")
    drive(other, "")
    assert found_rows(config) == found_rows(other) == wanted_rows(config)
    assert discover(config).known == discover(other).known == 6


def test_a_replacement_takes_whole_file_versions_and_only_those(config: StreamConfig) -> None:
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
def test_a_replacement_that_a_compaction_overtakes_is_made_again(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """The compacted file has the old rows, and the copies that a replacement makes of their neighbours."""
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


def test_the_ledger_says_what_the_pages_say(config: StreamConfig) -> None:
    drive(config, "")
    rows = LedgerTable(config.sink.url).open().scan().read_all()
    ledger = pa.table(rows).to_pylist()
    assert {row["path"] for row in ledger} == {file.path for file in list_files(config.source)}
    assert {(row["state"], row["pages"], row["failed_pages"], row["stream"]) for row in ledger} == {
        ("done", 2, 0, "main")
    }
    assert {row["batch_id"] for row in ledger} == {0, 1}


def test_losing_the_ledger_loses_nothing(config: StreamConfig) -> None:
    drive(config, "")
    shutil.rmtree(LedgerTable(config.sink.url).url)
    assert discover(config).files == []
    assert project_ledger(config) == 1
    assert discover(config).known == 6


@pytest.mark.parametrize(
    "meanwhile", ["nothing", "deleted", "deleted and made again", "projected by another", "compacted"]
)
def test_a_projection_goes_on_whatever_became_of_the_ledger(config: StreamConfig, meanwhile: str) -> None:
    config = config.model_copy(update={"trigger": TriggerOptions(max_files_per_trigger=1)})
    batches, ledger, projection = plan(config), LedgerTable(config.sink.url), LedgerProjection(config.sink.url)
    for number, batch in enumerate(batches):
        commit(config, batch)
        if number == 3 and "deleted" in meanwhile:
            shutil.rmtree(ledger.url)
        if number == 3 and meanwhile in ("deleted and made again", "projected by another"):
            project_ledger(config)
        if number == 3 and meanwhile == "compacted":
            assert compact(ledger, 128).merged
            assert compact(PagesTable(config.sink.url), 128).merged
        assert projection.run(config.stream) == number
    rows = pa.table(ledger.open().scan().read_all()).to_pylist()
    assert [row["path"] for row in sorted(rows, key=lambda row: row["batch_id"])] == [b.files[0].path for b in batches]
    assert plan(config) == []


@pytest.mark.parametrize("named", [1000, 0])
@pytest.mark.parametrize("projected", [True, False])
def test_some_files_are_compared_as_all_are(
    config: StreamConfig, monkeypatch: pytest.MonkeyPatch, named: int, projected: bool
) -> None:
    monkeypatch.setattr(delta_sink, "_NAMED_PATHS", named)
    for name in ("it's.pdf", "ä ö%.pdf", "\U0001f4c4.pdf", "zz.pdf"):
        (Path(config.source.url) / name).write_bytes(name.encode())
    batch = plan(config)[1]
    commit(config, batch)
    if projected:
        project_ledger(config)
    files = list_files(config.source)
    (Path(config.source.url) / "it's.pdf").write_bytes(b"overwritten")
    files.extend(file for file in list_files(config.source) if "it" in file.path)
    done = {file.key for file in batch.files}
    assert done < {file.key for file in files}
    for some in (files, files[:1], files[3:5], files[-5:], files[::2]):
        snapshot = open_sink(config.sink).known(config.stream)
        found = compare(config, snapshot, list(some), {file.path for file in some})
        assert [file.key for file in found.files] == [file.key for file in some if file.key not in done]


def test_a_ledger_of_a_pages_table_that_is_gone_is_refused_with_a_remedy(config: StreamConfig) -> None:
    drive(config, "")
    shutil.rmtree(PagesTable(config.sink.url).url)
    with pytest.raises(EnvironmentFault, match="delete"):
        discover(config)
    PagesTable(config.sink.url).create()
    with pytest.raises(EnvironmentFault, match="delete"):
        discover(config)
    with pytest.raises(EnvironmentFault, match="delete"):
        project_ledger(config)
    shutil.rmtree(LedgerTable(config.sink.url).url)
    assert len(discover(config).files) == 6


def test_projecting_before_there_is_a_table_does_nothing(config: StreamConfig) -> None:
    assert project_ledger(config) == -1
    assert not LedgerTable(config.sink.url).exists()


def test_a_newer_schema_is_refused(config: StreamConfig) -> None:
    table = PagesTable(config.sink.url).create()
    table.alter.set_table_properties({VERSION_PROPERTY: "99"}, raise_if_not_exists=False)
    with pytest.raises(EnvironmentFault, match="schema version 99"):
        plan(config)


def test_an_older_table_gains_the_new_columns_and_a_wider_one_keeps_its_own(config: StreamConfig) -> None:
    pages = PagesTable(config.sink.url)
    old = pa.schema([f for f in PAGES_SCHEMA if f.name != "overlay_path"]).append(pa.field("label", pa.string()))
    DeltaTable.create(pages.url, schema=old)
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)
    names = pages.open().schema().to_arrow().names
    assert {"overlay_path", "label"} <= set(names)
    assert pages.rows().column("label").null_count == 12


def test_checking_again_reads_only_new_files(config: StreamConfig) -> None:
    first, second = plan(config)
    commit(config, first)
    for data in Path(PagesTable(config.sink.url).url).glob("*.parquet"):
        data.unlink()  # reading it would fail
    commit(config, replace(second, planned_at=0))
    found = committed_since(PagesTable(config.sink.url).open(), "main", 0)
    assert found == frozenset(file.key for file in second.files)


def test_many_commits_are_checkpointed_and_transactions_survive_it(config: StreamConfig) -> None:
    batch = plan(config)[0]
    PagesTable(config.sink.url).create()
    for number in range(102):
        files = tuple(replace(file, etag=f"e{number}") for file in batch.files[:1])
        commit(config, replace(batch, files=files, attempt_id=f"a{number}", planned_at=number - 1))
    pages = PagesTable(config.sink.url)
    assert list((Path(pages.url) / "_delta_log").glob("*.checkpoint.parquet"))
    assert pages.open().transaction_version("main") == 101


def test_rows_that_cannot_be_read_just_now_are_the_moments_fault(config: StreamConfig) -> None:
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
        with pytest.raises(ValueError, match="one for each page"):
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


def test_reading_a_table_that_is_not_there_says_what_makes_it(tmp_path: Path) -> None:
    pages = PagesTable(str(tmp_path / "none"))
    assert pages.version() is None
    with pytest.raises(ConfigError, match="inkstream run"):
        pages.rows()


def test_rows_of_an_earlier_version_and_of_none(config: StreamConfig) -> None:
    drive(config, "")
    pages = PagesTable(config.sink.url)
    assert pages.rows(version=1).num_rows == 6
    assert pages.rows(limit=4, columns=["batch_id"]).to_pylist() == [{"batch_id": 1}] * 4
    with pytest.raises(ConfigError, match="no version 99"):
        pages.rows(version=99)


@pytest.mark.parametrize("name", ["a%41b", "a[b", "a#b", "a^b", "a|b", "a\\b"])
def test_sinks_the_table_library_mishandles_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no table can be kept"):
        PagesTable(str(tmp_path / name))


@pytest.mark.parametrize("name", ["a b", "é", "o'clock", "a&b=c", "(x)"])
def test_other_odd_sinks_work(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    make_inbox(tmp_path / name, 2)
    config = make_config(tmp_path / name)
    drive(config, "")
    assert found_rows(config) == wanted_rows(config)
    handle = PagesTable(config.sink.url).open()
    assert commit_table.find_commit(handle, "nobody's", 0) is None
    assert len(handle.history()) == 2

"""All sinks commit each file once, with the same loop. Run as a module, it is a driver that reads no pages."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from inkstream.flows.api import Stream
from inkstream.flows.loop.planners import NewFiles
from inkstream.ocr_core.errors import ConfigError, FailureKind, TransientError
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.page import Failure, PageResult
from inkstream.tasks import retries
from inkstream.tasks.commit.loop import commit_batch
from inkstream.tasks.commit.operations import Answer, Append, Operation, Runner
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import Batch, FileVersion
from inkstream.tasks.rows import page_rows
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.source.cleaning import done_files
from tests.faults.documents import tiny_pdf
from tests.integration.command import inkstream, run_json, settings
from tests.integration.committing import commit_to, discover
from tests.integration.tasks.sinks import sqlite_sink
from tests.integration.test_commit_processes import (
    commit,
    die_at,
    fill,
    make_inbox,
    plan,
    wanted_rows,
)

pytestmark = pytest.mark.usefixtures("shared_workers")


def make_config(folder: Path, **sink: Any) -> StreamConfig:
    return build_config(
        {
            "source": {"url": str(folder / "inbox")},
            "sink": {"url": str(folder / "tables"), "format": "parquet", **sink},
            "trigger": {"max_files_per_trigger": 5},
        }
    )


def found_rows(config: StreamConfig) -> Counter[tuple[str, str, int, int]]:
    columns = ["path", "etag", "length", "pagenum"]
    rows = open_sink(config.sink).rows(stream=config.stream, columns=columns).to_pylist()
    return Counter((row["path"], row["etag"], row["length"], row["pagenum"]) for row in rows)


def drive(config: StreamConfig, kill_point: str = "") -> None:
    while batches := plan(config):
        die_at("planned", kill_point)
        for batch in batches:
            try:
                commit(config, batch)
                die_at("committed", kill_point)
            except TransientError:
                continue


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "pause", lambda _: None)


@pytest.fixture(params=["delta", "parquet", "memory", "sqlite"])
def config(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StreamConfig]:
    make_inbox(tmp_path, 12)
    url = f"memory://{uuid.uuid4()}" if request.param == "memory" else str(tmp_path / "tables")
    with sqlite_sink.registered():
        yield make_config(tmp_path, format=request.param, url=url)


def test_each_file_is_committed_once(config: StreamConfig) -> None:
    sink: Sink = open_sink(config.sink)
    assert sink.version("main") is None
    with pytest.raises(ConfigError, match=r"nothing was committed|there is no table"):
        sink.rows()
    drive(config)
    assert found_rows(config) == wanted_rows(config)
    assert plan(config) == []
    assert discover(config).known == 12
    assert sink.version("main") == 3
    newest = sink.rows(limit=3, columns=["batch_id", "pagenum"]).to_pylist()
    assert newest == [{"batch_id": 2, "pagenum": page} for page in (0, 1, 0)]


def test_streams_are_separate(config: StreamConfig) -> None:
    other = config.model_copy(update={"stream": "other"})
    drive(config)
    drive(other)
    assert found_rows(config) == found_rows(other) == wanted_rows(config)
    assert open_sink(config.sink).rows().num_rows == 48


def test_a_stale_plan_commits_only_the_remaining_files(config: StreamConfig) -> None:
    mine, theirs = plan(config), plan(config)
    commit(config, theirs[0])
    overlapping = Batch("main", "mine", (*mine[0].files[:2], *mine[1].files), -1)
    committed = commit(config, overlapping)
    assert (committed.batch_id, committed.files, committed.already_done) == (1, (2, 3, 4, 5, 6), (0, 1))
    assert commit(config, mine[1]).already_done == (0, 1, 2, 3, 4)


def test_a_sink_returns_the_state_of_each_file(config: StreamConfig) -> None:
    batch = plan(config)[0]
    with ResultSpool() as spool:
        for index, pages in enumerate(([True, True], [True, False], [False, False])):
            spool.add(index, failing_rows(batch.files[index], pages))
        commit_to(config, batch, spool, [0, 1, 2])
    open_sink(config.sink).project_ledger("main")
    states = pa.concat_tables(open_sink(config.sink).states("main")).to_pylist()
    found = {(row["path"], row["state"], row["batch_id"]) for row in states}
    assert found == {(batch.files[i].path, state, 0) for i, state in enumerate(("done", "partial", "failed"))}
    assert done_files(open_sink(config.sink), config.stream, batch.files) == [batch.files[0]]


def test_a_file_with_only_some_pages_read_is_not_done(config: StreamConfig) -> None:
    batch = plan(config)[0]
    some = config.model_copy(update={"pipeline": PipelineOptions.model_validate({"pages": "1"})})
    with ResultSpool() as spool:
        for index, pages in enumerate(([True, True], [True])):
            spool.add(index, failing_rows(batch.files[index], pages))
        spool.add(2, failing_rows(batch.files[2], [True, True]).slice(0, 1))
        commit_to(config, batch, spool, [0])
        commit_to(some, replace(batch, attempt_id="some"), spool, [1, 2])
    open_sink(config.sink).project_ledger("main")
    assert done_files(open_sink(config.sink), config.stream, batch.files) == [*batch.files[:2]]


def failing_rows(file: FileVersion, good: list[bool]) -> pa.RecordBatch:
    results = [
        PageResult(page, len(good), "text", 90.0)
        if is_good
        else PageResult(page, len(good), None, None, failure=Failure(FailureKind.CORRUPT, "broken"))
        for page, is_good in enumerate(good)
    ]
    same: dict[str, Any] = {"pipeline_id": "p", "content_hash": "h", "version_id": None}
    return page_rows(file, results, stream="main", overlay_paths=[None] * len(good), **same)


def test_rows_are_replaced_if_the_format_supports_it(config: StreamConfig) -> None:
    first = plan(config)[0]
    if not config.sink.traits.replaces_rows:
        with pytest.raises(ConfigError, match=r"cannot replace rows: this needs sink\.format delta"):
            commit(config, first, replace=(0,))
        return
    commit(config, first)
    again = replace(first, attempt_id="again", planned_at=0)
    assert commit(config, again, replace=(0, 1, 2, 3, 4), text="better").batch_id == 1
    assert set(open_sink(config.sink).rows().column("text").to_pylist()) == {"better"}
    late = commit(config, replace(again, attempt_id="late"), replace=(0, 1, 2, 3, 4), text="worse")
    assert (late.batch_id, late.already_done) == (None, (0, 1, 2, 3, 4))


def test_racing_threads_write_each_file_once(config: StreamConfig) -> None:
    threads = [threading.Thread(target=drive, args=(config,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found_rows(config) == wanted_rows(config)


class Unlucky:
    """A runner of operations that loses an append or its reply."""

    def __init__(self, runner: Runner, *, lands: bool) -> None:
        self._runner = runner
        self._lands = lands
        self.appends = 0

    def run(self, operation: Operation) -> Answer:
        if not isinstance(operation, Append):
            return self._runner.run(operation)
        self.appends += 1
        if self.appends > 1 or self._lands:
            answer = self._runner.run(operation)
        if self.appends == 1:
            raise TransientError("reset")
        return answer


@pytest.mark.parametrize("lands", [True, False])
def test_a_lost_reply_is_detected_and_a_lost_append_is_repeated(config: StreamConfig, lands: bool) -> None:
    batch = plan(config)[0]
    with ResultSpool() as spool:
        fill(spool, batch)
        runner = Unlucky(open_sink(config.sink).runner(batch, spool, frozenset()), lands=lands)
        committed = commit_batch(runner, batch, spool, range(5))
    assert (committed.batch_id, committed.files) == (0, tuple(range(5)))
    assert runner.appends == (1 if lands else 2)
    assert set(found_rows(config).values()) == {1}


@pytest.fixture
def files(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 12)
    return make_config(tmp_path)


def test_a_sink_with_rows_in_another_format_is_refused(files: StreamConfig, tmp_path: Path) -> None:
    as_delta = files.model_copy(update={"sink": files.sink.model_copy(update={"format": "delta"})})
    commit(files, plan(files)[0])
    with Stream(as_delta) as stream, pytest.raises(ConfigError, match=r"Set sink\.format to parquet"):
        stream.plan(NewFiles())
    (tmp_path / "tables").rename(tmp_path / "elsewhere")
    commit(as_delta, plan(as_delta)[0])
    with Stream(files) as stream, pytest.raises(ConfigError, match=r"Set sink\.format to delta"):
        stream.plan(NewFiles())


def _documents(inbox: Path, count: int) -> None:
    inbox.mkdir(exist_ok=True)
    for number in range(count):
        (inbox / f"{number}.pdf").write_bytes(tiny_pdf(f"the document number {number}"))


CHEAP = settings(pipeline__text_layer__mode="only", execution__workers=1, sink__format="parquet")


def test_run_and_show_work_on_a_parquet_sink(tmp_path: Path) -> None:
    _documents(tmp_path / "inbox", 3)
    sink = str(tmp_path / "tables")
    places = ["--source", str(tmp_path / "inbox"), "--sink", sink]
    *batches, last = run_json(*places, *CHEAP, *settings(pipeline__draw="{}"), "--max-files-per-trigger", "2")
    assert [batch["sink"]["description"] for batch in batches] == [f"parquet {sink}/pages"] * 2
    assert (last["files"], last["version"], last["table"]) == (3, 2, f"{sink}/pages")
    shown = inkstream("show", sink).stdout
    assert "the document number 2" in shown
    assert f"Parquet files in {sink}/pages" in shown
    assert len(inkstream("show", sink, "--json", "--limit", "2").stdout.splitlines()) == 2
    rows = open_sink(build_config({"source": {"url": "a"}, "sink": {"url": sink, "format": "parquet"}}).sink).rows()
    assert all(Path(path).exists() for path in rows.column("overlay_path").to_pylist())
    memory = ["--source", str(tmp_path / "inbox"), "--sink", "memory://here"]
    assert "use the memory sink from Python" in inkstream("run", *memory, code=2).stderr


def test_a_memory_sink_works_from_python(tmp_path: Path) -> None:
    _documents(tmp_path / "inbox", 2)
    config = build_config(
        {
            "source": {"url": str(tmp_path / "inbox")},
            "sink": {"url": f"memory://{uuid.uuid4()}"},
            "pipeline": {"text_layer": {"mode": "only"}},
            "execution": {"workers": 1},
        }
    )
    with Stream(config) as stream:
        assert stream.run().files == 2
        _documents(tmp_path / "inbox", 3)
        summary = stream.run()
        table = stream.table(columns=["pagenum", "text"])
    assert summary.version == 2
    assert {f"the document number {number}" for number in range(3)} == set(table.column("text").to_pylist())
    assert isinstance(table, pa.Table)
    frame: Any = pl.from_arrow(table)
    assert frame.height == table.num_rows

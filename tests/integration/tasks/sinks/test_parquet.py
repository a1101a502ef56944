"""Parquet files, one per batch. Run as a module, it is a driver that reads no pages."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from inkstream.ocr_core.errors import EnvironmentFault, TransientError
from inkstream.tasks import retries, stores
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.model import Batch
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks import parquet
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.sinks.parquet import ParquetSink
from tests.faults.documents import tiny_pdf
from tests.integration import test_commit_processes
from tests.integration.committing import commit_to, discover
from tests.integration.tasks.sinks.test_sink import drive, found_rows, make_config
from tests.integration.test_commit_processes import (
    DyingSpool,
    assert_all_succeed,
    commit,
    die_at,
    make_inbox,
    plan,
    rows_of,
    wanted_rows,
)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "pause", lambda _: None)


@pytest.fixture
def files(tmp_path: Path) -> StreamConfig:
    make_inbox(tmp_path, 12)
    return make_config(tmp_path)


def files_of(config: StreamConfig) -> list[Path]:
    return sorted(Path(config.sink.url).glob("pages/**/*"))


@pytest.mark.parametrize("lands", [True, False])
def test_a_lost_reply_is_detected_and_a_failed_write_is_repeated(
    files: StreamConfig, monkeypatch: pytest.MonkeyPatch, lands: bool
) -> None:
    calls: list[str] = []

    def create(protocol: str, source: Path, path: str) -> None:
        calls.append(path)
        if len(calls) > 1 or lands:
            stores.create_from(protocol, source, path)
        if len(calls) == 1:
            raise TransientError("reset")

    monkeypatch.setattr(parquet, "create_from", create)
    committed = commit(files, plan(files)[0])
    assert (committed.batch_id, len(committed.files)) == (0, 5)
    assert len(calls) == (1 if lands else 2)
    assert set(found_rows(files).values()) == {1}
    assert [path.name for path in files_of(files)] == ["main", "000000000000.parquet"]


def test_a_file_is_plain_parquet_with_the_columns_of_the_table(files: StreamConfig) -> None:
    drive(files)
    path = files_of(files)[1]
    assert pq.read_schema(path).names == PAGES_SCHEMA.names
    frame = pl.read_parquet(str(Path(files.sink.url) / "pages" / "*" / "*.parquet"))
    assert frame.height == 24
    assert frame["stream"].unique().to_list() == ["main"]


def test_a_newer_schema_is_refused_and_an_older_one_is_read(files: StreamConfig) -> None:
    commit(files, plan(files)[0])
    path = files_of(files)[1]
    old = pq.read_table(path).drop_columns(["overlay_path"])
    pq.write_table(old, path)
    assert open_sink(files.sink).rows().column("overlay_path").null_count == 10
    pq.write_table(old.replace_schema_metadata({"inkstream.schema_version": "99"}), path)
    with pytest.raises(EnvironmentFault, match="schema version 99"):
        discover(files)


def test_a_large_batch_is_written_in_row_groups(files: StreamConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "_ROW_GROUP_BYTES", 1)
    commit(files, plan(files)[0])
    assert pq.ParquetFile(files_of(files)[1]).num_row_groups == 5
    assert found_rows(files).total() == 10


def test_racing_batches_on_s3_commit_each_file_once(s3: Any, bucket: str) -> None:
    for number in range(4):
        s3.put_object(Bucket=bucket, Key=f"in/{number}.pdf", Body=tiny_pdf(f"document {number}"))
    config = build_config(
        {
            "source": {"url": f"s3://{bucket}/in"},
            "sink": {"url": f"s3://{bucket}/out", "format": "parquet"},
            "trigger": {"max_files_per_trigger": 1},
        }
    )
    first, second, *_ = plan(config)
    assert commit(config, first).batch_id == 0
    rival = Batch("main", "rival", second.files, -1)
    assert commit(config, rival).batch_id == 1
    assert commit(config, second).already_done == (0,)
    with pytest.raises(FileExistsError):
        stores.create_whole("s3", f"{bucket}/out/pages/main/000000000001.parquet", b"late")
    drive(config)
    assert found_rows(config) == wanted_rows(config)
    assert plan(config) == []


def main() -> None:
    folder, kill_point = Path(sys.argv[1]), sys.argv[2]

    def create(protocol: str, source: Path, path: str) -> None:
        die_at("written", kill_point)
        stores.create_from(protocol, source, path)
        die_at("created", kill_point)

    vars(parquet)["create_from"] = create
    if kill_point == "writing":
        vars(test_commit_processes)["ResultSpool"] = DyingSpool
    drive(make_config(folder), kill_point)


def start(folder: Path, kill_point: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.integration.tasks.sinks.test_parquet", str(folder), kill_point]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kill_point", ["planned", "writing", "written", "created", "committed"])
def test_a_driver_killed_anywhere_leaves_nothing_lost_doubled_or_half_written(
    files: StreamConfig, tmp_path: Path, kill_point: str
) -> None:
    killed = start(tmp_path, kill_point)
    _, errors = killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL, errors
    for path in Path(files.sink.url).glob("pages/*/*.parquet"):
        assert pq.read_table(path).num_rows == 10
    drive(files)
    assert found_rows(files) == wanted_rows(files)


def test_racing_drivers_write_each_file_once(tmp_path: Path) -> None:
    make_inbox(tmp_path, 40)
    config = make_config(tmp_path)
    assert_all_succeed([start(tmp_path) for _ in range(4)])
    assert found_rows(config) == wanted_rows(config)
    numbers = ParquetSink(config.sink.url).numbers("main")
    assert numbers == list(range(len(numbers)))


def test_committing_a_file_with_missing_pages_is_an_error(files: StreamConfig) -> None:
    batch = plan(files)[0]
    with ResultSpool() as spool:
        spool.add(0, rows_of(batch.files[0], "main", "text").slice(0, 1))
        spool.add(1, rows_of(batch.files[1], "main", "text").slice(1, 1))
        with pytest.raises(ValueError, match="one row for each page"):
            commit_to(files, batch, spool, [0, 1])


if __name__ == "__main__":
    main()

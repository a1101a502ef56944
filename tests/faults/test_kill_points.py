"""The flow is killed at each named point; the next run loses nothing and writes nothing twice."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from deltalake import DeltaTable

from inkstream.tasks.paths import split_url
from inkstream.tasks.sinks.delta.engine import storage_options
from tests.faults.conftest import World
from tests.faults.s3_proxy import HELD, s3_proxy
from tests.integration.prefect_api import wait_until

KILLED = -signal.SIGKILL


EVERYWHERE = (
    "Listed",
    "Planned",
    "RangeDone:3",  # its overlay is written
    "Processed:1",
    "Processed:2",
    "BatchCommitted:1",  # the ledger lags behind
    "BatchCommitted:3",  # at the end
    "LedgerProjected:1",
    "BatchDone:2",
)


@pytest.mark.parametrize(
    ("sink_format", "points"),
    [
        ("delta", EVERYWHERE),
        ("parquet", ("Planned", "RangeDone:3", "Processed:2", "BatchCommitted:1", "BatchDone:2")),
    ],
)
def test_kills_at_each_named_point_lose_and_duplicate_nothing(
    world: World, sink_format: str, points: Sequence[str]
) -> None:
    """Each run has ten files to read in three batches; the next run finds what the previous one has left."""
    world.configure(f"sink.format={sink_format}", "pipeline.draw={}")
    files, left = 0, world.judge()
    for point in points:
        fresh = 10 - len(left.lost) // 2
        world.fill(fresh, start=files)
        files += fresh
        assert world.run("--die-at", point) == KILLED, point
        before, left = left, world.judge()
        assert not left.duplicated, point
        assert not left.torn, point
        assert left.lost or point == "BatchCommitted:3", point
        if point.startswith("RangeDone"):
            assert list((world.sink / "overlays").rglob("*.jpg")), "no overlay was written before the kill"
            assert left.rows == before.rows
    assert world.run() == 0
    after = world.judge()
    assert after.clean, after
    assert after.rows == 2 * files


def touch(world: World) -> None:
    """Give every file a whole second as its time, as a share does that is mounted again."""
    for path in world.inbox.iterdir():
        seconds = path.stat().st_mtime_ns // 10**9 - 1
        os.utime(path, ns=(seconds * 10**9, seconds * 10**9))


@pytest.mark.parametrize("mode", ["delta.append", "delta.upsert", "parquet.append"])
def test_touched_files_get_no_rows_wherever_their_run_is_killed(world: World, mode: str) -> None:
    sink_format, _, rows = mode.partition(".")
    world.configure(f"sink.format={sink_format}", f"sink.mode={rows}")
    world.fill(6)
    assert world.run() == 0
    before = world.judge().rows
    touch(world)
    for point in ("Planned", "Processed:1", "BatchDone:1"):
        assert world.run("--die-at", point) == (0 if rows == "upsert" and point != "Planned" else KILLED), point
        assert world.judge().rows == before, point
    assert world.run() == 0
    assert world.judge().rows == before
    assert world.run("--die-at", "Processed:1") == 0, "the files were read again"
    world.fill(2, start=4)  # two of them with other bytes or another version
    assert world.run() == 0
    assert world.judge().rows == before


def test_two_drivers_add_no_rows_for_touched_files(world: World) -> None:
    world.fill(6)
    assert world.run() == 0
    touch(world)
    drivers = [world.start() for _ in range(2)]
    for driver in drivers:
        driver.communicate(timeout=120)
        assert driver.returncode == 0
    assert world.judge().rows == 12
    assert world.run("--die-at", "Processed:1") == 0, "the files were read again"


def test_a_version_that_was_recorded_gets_rows_if_newer_rows_have_other_bytes(world: World) -> None:
    """Another driver commits other bytes of the path after the record was made."""
    world.fill(1)
    assert world.run() == 0
    touch(world)
    assert world.run() == 0
    (file,) = world.inbox.iterdir()
    recorded, time = file.read_bytes(), file.stat().st_mtime_ns
    file.write_bytes(recorded.replace(b"document 0 page 1", b"document 9 page 1"))
    assert world.run() == 0
    file.write_bytes(recorded)
    os.utime(file, ns=(time, time))
    assert world.run() == 0
    assert world.judge().rows == 6


def test_a_lost_ledger_is_rebuilt(world: World) -> None:
    world.fill(6)
    assert world.run() == 0
    shutil.rmtree(world.sink / "files")
    world.fill(2, start=6)
    assert world.run() == 0
    assert world.judge().clean
    assert DeltaTable(str(world.sink / "files")).to_pyarrow_table().num_rows == 8


@pytest.mark.parametrize("hold", ["before", "after"])
def test_a_kill_inside_the_commit_loses_and_duplicates_nothing(
    world: World, endpoint: str, s3: Any, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hold: str
) -> None:
    """The driver is killed when its rows are in the store, and the commit has, or has not, reached the store."""
    sink = f"s3://{bucket}/out"
    world.configure(f"sink.url={sink}")
    world.fill(4)
    assert world.run() == 0
    world.fill(4, start=4)
    before = _open(sink)
    with s3_proxy(tmp_path, endpoint, "--hold", hold) as proxy:
        with monkeypatch.context() as patched:
            patched.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
            driver = world.start()
        wait_until(lambda: proxy.outcomes()[HELD] == 1, 60, lambda: str(proxy.outcomes()))
        driver.kill()
        driver.communicate()
    assert driver.returncode == KILLED
    table = _open(sink)
    assert table.version() - before.version() == (1 if hold == "after" else 0)
    strays = _parquet_files(s3, bucket) - set(table.file_uris())
    assert bool(strays) == (hold == "before")
    left = world.corpus.judge(sink)
    assert not left.duplicated
    assert not left.torn
    assert bool(left.lost) == (hold == "before")
    assert world.run() == 0
    after = world.corpus.judge(sink)
    assert after.clean, after
    assert after.rows == 16


def _open(sink: str) -> DeltaTable:
    return DeltaTable(f"{sink}/pages", storage_options=storage_options(*split_url(sink)))


def _parquet_files(s3: Any, bucket: str) -> set[str]:
    objects = s3.list_objects_v2(Bucket=bucket, Prefix="out/pages/")["Contents"]
    return {f"s3://{bucket}/{found['Key']}" for found in objects if found["Key"].endswith(".parquet")}


def test_a_driver_that_slept_while_another_worked_adds_nothing(world: World) -> None:
    """A driver that slept while another one did its work adds nothing."""
    world.fill(10)
    sleeper = world.start("--stop-at", "Processed:2")
    _wait_until_stopped(sleeper.pid)
    assert world.run() == 0
    assert world.judge().clean
    os.kill(sleeper.pid, signal.SIGCONT)
    _, errors = sleeper.communicate(timeout=120)
    assert sleeper.returncode == 0, errors
    verdict = world.judge()
    assert verdict.clean, verdict
    assert verdict.rows == 20


def test_three_drivers_on_one_stream_write_each_row_once(own_cluster_world: World) -> None:
    own_cluster_world.fill(24)
    drivers = [own_cluster_world.start() for _ in range(3)]
    for driver in drivers:
        _, errors = driver.communicate(timeout=200)
        assert driver.returncode == 0, errors
    verdict = own_cluster_world.judge()
    assert verdict.clean, verdict
    assert verdict.rows == 48


def test_the_oracle_finds_the_duplicates_of_the_control(world: World) -> None:
    """A driver that writes a state file after the commit duplicates rows: the oracle must see it."""
    world.fill(8)
    assert world.run("--die-at", "committed", module="tests.faults.control") == KILLED
    assert world.run(module="tests.faults.control") == 0
    verdict = world.judge()
    assert verdict.duplicated, "the oracle is blind"


def _wait_until_stopped(pid: int) -> None:
    wait_until(lambda: psutil.Process(pid).status() == psutil.STATUS_STOPPED, 60, lambda: "the driver did not stop")

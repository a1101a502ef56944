"""The flow is killed at each named point; the next run loses nothing and writes nothing twice."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
from deltalake import DeltaTable

from tests.faults.conftest import World

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


def test_a_lost_ledger_is_rebuilt(world: World) -> None:
    world.fill(6)
    assert world.run() == 0
    shutil.rmtree(world.sink / "files")
    world.fill(2, start=6)
    assert world.run() == 0
    assert world.judge().clean
    assert DeltaTable(str(world.sink / "files")).to_pyarrow_table().num_rows == 8


def _versions(pages: Path) -> int:
    return len(list((pages / "_delta_log").glob("*.json"))) if pages.exists() else 0


@pytest.mark.parametrize("landed", [False, True], ids=["parquet_without_commit", "commit_landed"])
def test_a_kill_inside_the_commit_loses_and_duplicates_nothing(world: World, landed: bool) -> None:
    """The driver is killed from outside when the disk shows that state; kills that miss it are repeated."""
    world.configure("trigger.max_files_per_trigger=1000")
    pages = world.sink / "pages"
    hits = 0
    for attempt in range(12):
        world.fill(10, start=attempt * 10)
        driver = world.start("--stop-at", "Processed")
        _wait_until_stopped(driver.pid)
        versions = _versions(pages)
        for stray in pages.glob("*.parquet"):
            if not _is_committed(pages, stray):
                stray.unlink()
        committed = {file.name for file in pages.glob("*.parquet")}
        for thread in psutil.Process(driver.pid).threads():
            os.setpriority(os.PRIO_PROCESS, thread.id, 19)  # so that this test acts in time, even on a busy machine
        os.kill(driver.pid, signal.SIGCONT)
        while driver.poll() is None:
            fresh = [f for f in pages.glob("*.parquet") if f.name not in committed and f.stat().st_size]
            if _versions(pages) > versions if landed else fresh:
                os.killpg(driver.pid, signal.SIGKILL)
                break
        driver.communicate()
        hits += (_versions(pages) > versions) == landed
        verdict = world.judge()
        assert not verdict.duplicated
        assert not verdict.torn
        if hits:
            break
    assert hits, "no kill hit that state"
    assert world.run() == 0
    assert world.judge().clean


def _is_committed(pages: Path, file: Path) -> bool:
    return any(uri.endswith(file.name) for uri in DeltaTable(str(pages)).file_uris())


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
    end = time.monotonic() + 60
    while psutil.Process(pid).status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < end, "the driver did not stop in time"
        time.sleep(0.01)

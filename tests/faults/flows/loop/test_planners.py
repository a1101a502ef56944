"""Retries and reprocessing that are killed, stopped, or race: each page keeps exactly one row, and none is lost."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from tests.faults.conftest import World
from tests.faults.oracle import read_rows
from tests.faults.test_kill_points import KILLED, _wait_until_stopped

LARGE = 1
FIXED = ("--set", "pipeline.render.max_pixels=50000000")


PAGES = 3
ONCE = ("pipeline.draw={}", "pipeline.render.max_pixels=100000")


@pytest.fixture(scope="module")
def read_once(tmp_path_factory: pytest.TempPathFactory, scheduler: str) -> tuple[Path, Path]:
    """Return a folder where 10 files of 3 pages were read, and a copy of it. Each file's second page was too large."""
    place, copy = tmp_path_factory.mktemp("world"), tmp_path_factory.mktemp("copy")
    world = World(place, ONCE, scheduler)
    world.fill(10, pages=PAGES, large=[LARGE])
    assert world.run() == 0
    assert _failures(world) == 10
    shutil.copytree(place, copy, dirs_exist_ok=True)
    return place, copy


@pytest.fixture
def failed(read_once: tuple[Path, Path], scheduler: str) -> Iterator[World]:
    """Yield that folder as it was after the run; in the same place, because the table stores its files' paths."""
    place, copy = read_once
    shutil.rmtree(place)
    shutil.copytree(copy, place)  # with modification times, which distinguish versions
    world = World(place, ONCE, scheduler)
    for file in world.inbox.iterdir():
        world.corpus.adopt(file.name, PAGES)
    yield world
    world.close()


def _failures(world: World) -> int:
    return sum(row["exception_kind"] == "limit" for row in read_rows(world.sink))


def _sound(world: World) -> bool:
    """Return whether every page has one row, and all rows of a file version are from one commit."""
    verdict = world.judge()
    commits: dict[tuple[str, str], set[int]] = {}
    for row in read_rows(world.sink):
        commits.setdefault((row["path"], row["etag"]), set()).add(row["batch_id"])
    return verdict.clean and all(len(batches) == 1 for batches in commits.values())


def _whole_rows(world: World) -> dict[tuple[str, int], dict[str, Any]]:
    uris = DeltaTable(str(world.sink / "pages")).file_uris()
    rows = [row for uri in uris for row in pq.read_table(uri).to_pylist()]
    return {(row["path"], row["pagenum"]): row for row in rows}


def test_a_retry_that_is_killed_repeatedly_keeps_one_row_per_page(failed: World) -> None:
    before = _whole_rows(failed)
    for point in ("RangeDone:3", "Processed:1", "BatchCommitted:1"):
        assert failed.run("--do", "retry", *FIXED, "--die-at", point) == KILLED
        assert _sound(failed), point
    assert 0 < _failures(failed) < 10
    assert failed.run("--do", "retry", *FIXED) == 0
    assert _sound(failed)
    assert _failures(failed) == 0
    after = _whole_rows(failed)
    assert before.keys() == after.keys()
    for key, row in after.items():
        if key[1] != LARGE:  # unchanged, except for their commit
            assert {**row, "batch_id": 0, "timestamp": 0} == {**before[key], "batch_id": 0, "timestamp": 0}
    assert failed.run() == 0  # everything is known
    assert failed.judge().rows == 30


def test_retries_that_race_each_other_and_a_run_keep_one_row_per_page(failed: World) -> None:
    failed.fill(6, pages=3, start=10, large=[LARGE])
    drivers = [failed.start("--do", "retry", *FIXED) for _ in range(2)] + [failed.start()]
    for driver in drivers:
        _, errors = driver.communicate(timeout=200)
        assert driver.returncode == 0, errors
    assert _sound(failed)
    assert failed.judge().rows == 48
    assert _failures(failed) <= 6


def test_a_retry_that_slept_through_a_reprocess_adds_nothing(failed: World) -> None:
    sleeper = failed.start("--do", "retry", *FIXED, "--stop-at", "Processed:1")
    _wait_until_stopped(sleeper.pid)
    assert failed.run("--do", "reprocess", *FIXED) == 0
    assert _failures(failed) == 0
    done = _whole_rows(failed)
    os.kill(sleeper.pid, signal.SIGCONT)
    _, errors = sleeper.communicate(timeout=120)
    assert sleeper.returncode == 0, errors
    assert _whole_rows(failed) == done


def test_a_killed_reprocess_that_races_a_retry_is_completed_by_the_next(failed: World) -> None:
    killed = failed.start("--do", "reprocess", *FIXED, "--die-at", "Processed:2")
    retried = failed.start("--do", "retry", *FIXED)
    assert (killed.wait(timeout=120), retried.wait(timeout=120)) == (-signal.SIGKILL, 0)
    assert _sound(failed)
    assert failed.run("--do", "reprocess", *FIXED) == 0
    assert _sound(failed)
    assert len({row["pipeline_id"] for row in _whole_rows(failed).values()}) == 1
    version = DeltaTable(str(failed.sink / "pages")).version()
    assert failed.run("--do", "reprocess", *FIXED) == 0
    assert DeltaTable(str(failed.sink / "pages")).version() == version, "rows that needed no change were written again"

"""Workers die while they work: their pages are read again, and only a page that kills a worker alone is blamed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from inkstream.flows.api import Stream
from inkstream.ocr_core.errors import EnvironmentFault, FailureKind, WorkersLostError
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.progress import BatchDone, Event, RangeDone
from inkstream.tasks.work import worker_watch
from tests.faults.cluster import Cluster, workers_of
from tests.faults.conftest import World
from tests.faults.documents import tiny_pdf
from tests.faults.oracle import read_rows
from tests.places import ROOT


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path, 2)
    yield cluster
    cluster.close()


def _config(world: World, cluster: Cluster | None, *overrides: str) -> StreamConfig:
    return build_config(
        {
            "source": {"url": str(world.inbox)},
            "sink": {"url": str(world.sink)},
            "pipeline": {"text_layer": {"mode": "only"}},
            "execution": {"scheduler": cluster.address if cluster else None, "workers": 1},
        },
        overrides=overrides,
    )


def _once(action: Callable[[RangeDone], None]) -> Callable[[Event], None]:
    done = threading.Event()

    def observe(event: Event) -> None:
        if isinstance(event, RangeDone) and not done.is_set():
            done.set()
            action(event)

    return observe


def _kill(process: psutil.Process) -> None:
    process.kill()


def _workers(cluster: Cluster) -> list[psutil.Process]:
    return [worker for nanny in cluster.nannies() for worker in workers_of(nanny)]


@pytest.mark.parametrize("victim", ["worker", "nanny", "child"])
def test_the_work_of_a_killed_process_is_redone(world: World, cluster: Cluster, victim: str) -> None:
    world.fill(12, pages=5)

    def strike(event: RangeDone) -> None:
        del event
        if victim == "nanny":
            _kill(cluster.nannies()[0])
        elif victim == "worker":
            _kill(_workers(cluster)[0])
        else:
            for worker in _workers(cluster):
                for child in worker.children():
                    _kill(child)

    with Stream(_config(world, cluster, "execution.pages_per_range=2"), observers=[_once(strike)]) as stream:
        summary = stream.run()
    assert summary.pages == 60
    assert summary.failed_pages == 0
    assert world.judge().clean


@pytest.fixture
def frozen() -> Iterator[list[psutil.Process]]:
    """Processes to let go on at the end."""
    processes: list[psutil.Process] = []
    yield processes
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def test_the_work_of_a_frozen_worker_is_redone_by_the_others(
    world: World, cluster: Cluster, frozen: list[psutil.Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections live, so nobody else notices for minutes."""
    monkeypatch.setattr(worker_watch, "LEAST_PATIENCE", 15.0)
    world.fill(12, pages=5)

    def freeze(event: RangeDone) -> None:
        del event
        frozen.append(_workers(cluster)[0])
        frozen[0].suspend()

    overrides = ("execution.pages_per_range=2", "execution.worker_wait_seconds=15")
    with Stream(_config(world, cluster, *overrides), observers=[_once(freeze)]) as stream:
        summary = stream.run()
    assert (summary.pages, summary.failed_pages) == (60, 0)
    assert world.judge().clean


def test_a_frozen_worker_does_not_hold_up_the_start(
    world: World,
    cluster: Cluster,
    frozen: list[psutil.Process],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    world.fill(2, pages=1)
    with Stream(_config(world, cluster)) as stream:
        stream.run()  # both workers have started
    monkeypatch.setattr(worker_watch, "LEAST_PATIENCE", 15.0)
    world.fill(2, pages=1, start=2)
    frozen.append(_workers(cluster)[0])
    frozen[0].suspend()
    with Stream(_config(world, cluster, "execution.worker_wait_seconds=15")) as stream:
        stream.run()
    assert world.judge().clean
    assert "does not answer; the run goes on with the others" in caplog.text


def test_losing_every_worker_is_a_transient_fault(world: World, cluster: Cluster) -> None:
    world.fill(30, pages=4)

    def strike(event: RangeDone) -> None:
        del event
        for nanny in cluster.nannies():
            workers = nanny.children()
            _kill(nanny)
            for worker in workers:
                if worker.is_running():
                    _kill(worker)

    config = _config(world, cluster, "execution.worker_wait_seconds=2", "execution.pages_per_range=1")
    with pytest.raises(WorkersLostError), Stream(config, observers=[_once(strike)]) as stream:
        stream.run()
    assert world.judge().rows == 0
    cluster.nannies()
    with Stream(_config(world, cluster)) as stream:  # it waits for the workers to start
        assert stream.run().files == 30
    assert world.judge().clean


def test_only_the_page_that_kills_its_worker_is_blamed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers preload a store that kills the process that reads a file named `poison.pdf`."""
    monkeypatch.setenv("DASK_DISTRIBUTED__WORKER__PRELOAD", "tests.faults.poison")
    monkeypatch.setenv("INKSTREAM_TEST_POISON", "poison.pdf")
    cluster = Cluster(tmp_path, 2, allowed_failures=1)
    try:
        world.fill(6)
        world.corpus.put("poison.pdf", tiny_pdf("never to be read"), 1)
        world.fill(6, start=6)
        events: list[Event] = []
        with Stream(_config(world, cluster), observers=[events.append]) as stream:
            summary = stream.run()
    finally:
        cluster.close()
    rows = {str(row["path"]).rpartition("/")[2]: row for row in read_rows(world.sink)}
    assert len(rows) == 13
    assert rows["poison.pdf"]["exception_kind"] == FailureKind.CRASH
    assert rows["poison.pdf"]["pagenum"] is None
    assert summary.failed_pages == 1
    (done,) = [event for event in events if isinstance(event, BatchDone)]
    assert done.progress["failures"] == {"crash": 1}


def test_a_file_overwritten_before_it_is_read_is_left_out(world: World) -> None:
    world.fill(3)
    new = "printf 'not a document at all' > document00001.pdf"
    assert world.run("--at", "Planned", f"cd {world.inbox} && {new}") == 5
    rows = read_rows(world.sink)
    assert {str(row["path"])[-9:] for row in rows} == {"00000.pdf", "00002.pdf"}
    assert world.run() == 0
    assert len(read_rows(world.sink)) == 5


def test_versions_are_not_mixed_if_a_file_is_overwritten_while_it_is_read(own_cluster_world: World) -> None:
    """The older version may have all of its rows; each row's hash is that of the bytes its etag names."""
    own_cluster_world.configure("execution.pages_per_range=1", "execution.workers=2", "execution.window_per_worker=1")
    own_cluster_world.fill(1, pages=16)
    source = own_cluster_world.inbox / "document00000.pdf"
    hold = own_cluster_world.inbox.parent / "next.pdf"
    hold.write_bytes(tiny_pdf(*[f"the second version, page {n}" for n in range(16)]))
    code = own_cluster_world.run("--at", "RangeDone:2", f"mv {hold} {source}")
    assert code in (0, 5)
    own_cluster_world.corpus.adopt(source.name, 16)
    assert own_cluster_world.run() == 0
    verdict = own_cluster_world.judge()
    assert verdict.clean, verdict
    assert verdict.rows in (16, 32)
    own_cluster_world.corpus.put(source.name, tiny_pdf("a third version that is short"), 1)
    assert own_cluster_world.run() == 0
    after = own_cluster_world.judge()
    assert after.clean, after
    assert after.rows == verdict.rows + 1


def test_vanished_files_are_left_out_and_the_others_committed(world: World) -> None:
    world.fill(4)
    assert world.run("--at", "Planned", f"rm {world.inbox}/document00002.pdf") == 5
    assert len(read_rows(world.sink)) == 6
    assert world.run() == 0


def test_compaction_between_batches_loses_and_duplicates_nothing(world: World) -> None:
    """Another process's maintenance rewrites the table between every two batches."""
    world.configure("trigger.max_files_per_trigger=2")
    world.fill(12)
    code = f"from deltalake import DeltaTable; DeltaTable('{world.sink}/pages').optimize.compact()"
    compact = f'{sys.executable} -c "{code}"'
    places = [part for n in (1, 2, 4) for part in ("--at", f"BatchCommitted:{n}", compact)]
    places += [part for n in (3, 5) for part in ("--at", f"Processed:{n}", compact)]
    assert world.run(*places) == 0
    verdict = world.judge()
    assert verdict.clean, verdict
    assert verdict.rows == 24


def test_a_worker_without_language_data_is_an_environment_fault(world: World, tmp_path: Path) -> None:
    world.fill(2)
    empty = tmp_path / "no-data"
    empty.mkdir()
    config = _config(world, None, "pipeline.text_layer.mode=prefer", f"pipeline.recognize.tessdata={empty}")
    with pytest.raises(EnvironmentFault, match="eng") as caught, Stream(config) as stream:
        stream.run()
    assert caught.value.remedy
    assert not (world.sink / "pages").exists()


def test_workers_and_children_end_with_a_killed_flow(own_cluster_world: World) -> None:
    own_cluster_world.fill(40, pages=10)
    driver = own_cluster_world.start("--stop-at", "RangeDone:4")
    process = psutil.Process(driver.pid)
    while process.status() != psutil.STATUS_STOPPED:
        assert driver.poll() is None
    family = process.children(recursive=True)
    assert family
    os.kill(driver.pid, signal.SIGKILL)
    driver.communicate()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive


def test_the_sandbox_child_has_no_credentials(own_cluster_world: World) -> None:
    own_cluster_world.fill(40, pages=10)
    environment = {**os.environ, "AWS_SECRET_ACCESS_KEY": "do-not-tell"}
    config = own_cluster_world.inbox.parent / "config.json"
    driver = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.driver", str(config), "--stop-at", "RangeDone:4"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process = psutil.Process(driver.pid)
        while process.status() != psutil.STATUS_STOPPED:
            assert driver.poll() is None
        family = process.children(recursive=True)
        children = [p for p in family if "sandbox/child.py" in " ".join(p.cmdline())]
        assert children
        assert all("AWS_SECRET_ACCESS_KEY" not in child.environ() for child in children)
        workers = [child.parent() for child in children]
        assert all(w is not None and w.environ()["AWS_SECRET_ACCESS_KEY"] == "do-not-tell" for w in workers)
    finally:
        driver.kill()
        driver.wait()

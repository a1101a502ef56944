"""Workers that declare a resource read the lines: who did what, the same rows, and what happens when they die."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from distributed import Client

from inkstream.flows.api import Stream
from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, WorkersLostError
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.workers.page_worker import BegunPage
from inkstream.tasks.config import StreamConfig, build_config
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores.copies import CopiesFolder
from inkstream.tasks.work.page_range import RangeJob
from inkstream.tasks.work.page_range_in_parts import BegunRange, begin_range
from inkstream.tasks.work.placement import by_task
from tests.faults.cluster import Cluster, workers_of
from tests.generators import page_image

GPU = {"GPU": 1}
PAGES = [["Carriage paid in advance", "Fourteen barrels of tar"], ["No returns after May"], []]
FILES = 2
VOLATILE = {"processing_ms", "batch_id", "timestamp", "overlay_path"}


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    for number in range(FILES):
        first, *rest = [page_image([*lines, f"Sheet {number}"] if lines else []) for lines in PAGES]
        first.save(folder / f"{number}.tiff", save_all=True, append_images=rest, dpi=(150, 150))
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path, 2, resources=["GPU=1"])
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
    yield cluster
    cluster.close()


def config_of(inbox: Path, sink: str, cluster: Cluster | None, **execution: Any) -> StreamConfig:
    return build_config(
        {
            "source": {"url": str(inbox)},
            "sink": {"url": str(inbox.parent / sink)},
            "pipeline": {
                "text_layer": {"mode": "ignore"},
                "recognize": {"engine": "auto", "routing": {"threshold": 100}, "ppocr": {"scripts": ["latin"]}},
                "draw": {"label": "text"},
            },
            "execution": {
                "scheduler": cluster.address if cluster else None,
                "workers": 1,
                "pages_per_range": 2,
                **execution,
            },
        }
    )


def run(config: StreamConfig, *observers: Callable[[Any], None]) -> list[dict[str, Any]]:
    with Stream(config, observers=observers) as stream:
        stream.run()
    rows = pq.read_table(DeltaTable(f"{config.sink.url}/pages").file_uris()).to_pylist()
    return sorted(rows, key=lambda row: (str(row["path"]), row["pagenum"]))


def test_each_part_runs_on_its_kind_of_worker_and_the_rows_are_the_same(inbox: Path, cluster: Cluster) -> None:
    with Client(cluster.address, set_as_default=False) as client:
        pages, lines = by_task(client, GPU)
        assert (len(pages), len(lines), set(pages) & set(lines)) == (1, 1, set())
        client.get_task_stream(count=0)  # the scheduler records tasks from here on
        apart = run(config_of(inbox, "apart", cluster, recognize_resources=GPU))
        noted = client.get_task_stream(count=100_000)
    ran = {(task["key"].partition("-")[0], task["worker"]) for task in noted if task["status"] == "OK"}
    assert {(task, worker) for task, worker in ran if task.endswith("_range")} == {
        ("begin_range", *pages),
        ("read_range", *lines),
        ("finish_range", *pages),
    }
    together = run(config_of(inbox, "together", None))
    assert len(apart) == FILES * len(PAGES)
    for row, other in zip(apart, together, strict=True):
        assert {name: row[name] for name in row.keys() - VOLATILE} == {
            name: other[name] for name in other.keys() - VOLATILE
        }
        assert Path(row["overlay_path"].removeprefix("file://")).name == Path(other["overlay_path"]).name
    assert "Fourteen barrels of tar" in apart[0]["text"]
    assert {row["engine"] for row in apart} > {"tesseract"}


def test_only_line_crops_travel_between_workers(inbox: Path) -> None:
    file = list_files(config_of(inbox, "tables", None).source)[0]
    pipeline = config_of(inbox, "tables", None).pipeline.canonical()
    sink, copies = str(inbox.parent / "tables"), CopiesFolder(uuid.uuid4().hex, 10)
    begun = begin_range(RangeJob(file, (), 3, None, "main", pipeline, LimitOptions(), sink, True, copies))
    assert isinstance(begun, BegunRange)
    waiting = [page for page in begun.file.pages if isinstance(page, BegunPage)]
    assert [page.pagenum for page in waiting] == [0, 1], "a blank page has nothing to read"
    page = 1275 * 1650
    assert 0 < sum(begun_page.size for begun_page in waiting) < page / 10


@pytest.mark.parametrize("victim", [0, 1])
def test_the_pages_of_a_killed_worker_of_either_kind_are_redone(inbox: Path, cluster: Cluster, victim: int) -> None:
    """The nanny restarts the worker at another address; tasks bound to the old one are cancelled and run again."""
    struck: list[int] = []

    def strike(event: object) -> None:
        if type(event).__name__ == "RangeDone" and not struck:
            (worker,) = workers_of(cluster.nannies()[victim])
            struck.append(worker.pid)
            worker.kill()

    config = config_of(inbox, "tables", cluster, recognize_resources=GPU, pages_per_range=1)
    rows = run(config, strike)
    assert struck
    assert len(rows) == FILES * len(PAGES)
    assert {row["exception_kind"] for row in rows} == {None}


def test_a_run_ends_with_an_error_when_no_line_worker_is_left(inbox: Path, cluster: Cluster) -> None:
    def strike(event: object) -> None:
        if type(event).__name__ == "RangeDone":
            nanny = cluster.nannies()[0]
            workers = workers_of(nanny)
            for process in [nanny, *workers]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    config = config_of(inbox, "tables", cluster, recognize_resources=GPU, pages_per_range=1, worker_wait_seconds=2)
    with pytest.raises(WorkersLostError):
        run(config, strike)


def test_a_resource_that_no_worker_declares_is_refused_at_once(inbox: Path, cluster: Cluster) -> None:
    with pytest.raises(EnvironmentFault, match="no Dask worker declares TPU=2") as caught:
        run(config_of(inbox, "tables", cluster, recognize_resources={"TPU": 2}))
    assert f'dask worker {cluster.address} --nthreads 1 --resources "TPU=2"' in caught.value.remedy
    with pytest.raises(EnvironmentFault, match="the workers that a run starts declare nothing") as caught:
        run(config_of(inbox, "tables", None, recognize_resources=GPU))
    assert '--resources "GPU=1"' in caught.value.remedy
    assert not (inbox.parent / "tables" / "pages").exists()


def test_recognize_resources_are_refused_for_whole_page_engines(inbox: Path) -> None:
    with pytest.raises(ConfigError, match="recognize_resources is for engines that read lines"):
        build_config(
            {
                "source": {"url": str(inbox)},
                "sink": {"url": "tables"},
                "execution": {"recognize_resources": GPU},
            }
        )

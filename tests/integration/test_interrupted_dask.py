"""Ctrl-C while the main thread waits for Dask, at a moment that Dask's own blocking calls do not survive."""

from __future__ import annotations

import logging
import queue
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.tasks.config import ExecutionOptions, SourceOptions
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.stores.copies import CopiesFolder
from inkstream.tasks.work.cluster import check_workers, open_cluster
from inkstream.tasks.work.page_range import RangeJob, RangeResult
from inkstream.tasks.work.placement import RangePlacement
from tests.faults.documents import tiny_pdf
from tests.interrupting import default_interrupts, interrupt_before_it_begins

PIPELINE = PipelineOptions.model_validate({"text_layer": {"mode": "only"}}).canonical()
SECONDS = 60
LOGGERS = ("asyncio", "tornado", "tornado.application", "tornado.general", "distributed")


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with open_cluster(ExecutionOptions(workers=1), PIPELINE) as opened:
        yield opened


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Let `caplog` see the logs of Dask and its libraries, which importing Dask hides from the root logger."""
    for name in LOGGERS:
        logging.getLogger(name).addHandler(caplog.handler)
    yield caplog
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(caplog.handler)


def interrupt(client: Any, call: Callable[[], object]) -> None:
    with default_interrupts(), pytest.raises(KeyboardInterrupt):
        interrupt_before_it_begins(client.loop.asyncio_loop, call)


def test_ctrl_c_while_workers_are_checked_leaves_dask_usable(client: Any, logged: pytest.LogCaptureFixture) -> None:
    interrupt(client, lambda: check_workers(client, PIPELINE, {}, 60))
    assert len(check_workers(client, PIPELINE, {}, 60)) == 1
    assert logged.records == []


def test_ctrl_c_at_each_step_of_a_range_leaves_dask_usable(
    client: Any, logged: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "a.pdf").write_bytes(tiny_pdf("the first page", "the second page"))
    (file,) = list_files(SourceOptions(url=str(tmp_path)))
    job = RangeJob(
        file, (), 2, None, "main", PIPELINE, LimitOptions(), "memory://none", True, CopiesFolder(uuid.uuid4().hex, 10)
    )
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    placement = RangePlacement(client, {}, ended.put, 60)

    interrupt(client, lambda: placement.submit(job))
    interrupt(client, placement.threads)
    assert placement.threads() == 1
    key = placement.submit(job)
    assert ended.get(timeout=SECONDS) == key
    interrupt(client, placement.close)
    result = placement.result(key, SECONDS)
    assert isinstance(result, RangeResult)
    assert result.rows.num_rows == 2
    key = placement.submit(job)
    assert ended.get(timeout=SECONDS) == key
    interrupt(client, lambda: placement.result(key, SECONDS))
    placement.close()
    assert logged.records == []

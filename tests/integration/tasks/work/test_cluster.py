"""The Dask cluster that a run starts."""

from __future__ import annotations

import logging
import os

import pytest

from inkstream.ocr_core.options import PipelineOptions
from inkstream.tasks.config import ExecutionOptions
from inkstream.tasks.work.cluster import open_cluster


def is_logged_by_a_worker(message: str) -> bool:
    """Return whether a worker would log an error with this message."""
    logger = logging.getLogger("distributed.worker")
    record = logger.makeRecord(logger.name, logging.ERROR, __file__, 1, message, (), None)
    return bool(logger.isEnabledFor(record.levelno) and logger.filter(record))


def test_workers_log_errors_except_heartbeats_that_miss_the_scheduler() -> None:
    with open_cluster(ExecutionOptions(workers=1), PipelineOptions().canonical()) as client:
        for message, logged in (
            ("Failed to communicate with scheduler during heartbeat.", False),
            ("Unexpected exception during heartbeat. Closing worker.", True),
        ):
            assert set(client.run(is_logged_by_a_worker, message).values()) == {logged}


def test_by_default_a_run_starts_its_own_cluster_with_a_worker_per_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with open_cluster(ExecutionOptions(), PipelineOptions().canonical()) as client:
        pids = client.run(os.getpid)
        assert len(pids) == len({os.getpid(), *pids.values()}) - 1 == 2
        assert client.scheduler.address.startswith("tcp://127.0.0.1:")

"""The Dask cluster that a run starts."""

from __future__ import annotations

import logging

from inkstream.ocr_core.options import PipelineOptions
from inkstream.tasks.config import ExecutionOptions
from inkstream.tasks.work.cluster import open_cluster


def said_by_a_worker(message: str) -> bool:
    """Return whether a worker would log an error with this message."""
    logger = logging.getLogger("distributed.worker")
    record = logger.makeRecord(logger.name, logging.ERROR, __file__, 1, message, (), None)
    return bool(logger.isEnabledFor(record.levelno) and logger.filter(record))


def test_a_heartbeat_that_misses_its_scheduler_is_no_news_and_other_errors_are() -> None:
    with open_cluster(ExecutionOptions(workers=1), PipelineOptions().canonical()) as client:
        for message, said in (
            ("Failed to communicate with scheduler during heartbeat.", False),
            ("Unexpected exception during heartbeat. Closing worker.", True),
        ):
            assert set(client.run(said_by_a_worker, message).values()) == {said}

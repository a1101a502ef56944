"""The log of a worker in a run's own cluster."""

from __future__ import annotations

import logging

from inkstream.tasks.work.local_worker import dask_setup


def test_only_a_lost_heartbeat_is_not_logged() -> None:
    logger = logging.getLogger("distributed.worker")
    before = list(logger.filters)
    try:
        dask_setup(None)
        logged = [
            bool(logger.filter(logger.makeRecord(logger.name, logging.ERROR, __file__, 1, message, (), None)))
            for message in ("Failed to communicate with scheduler during heartbeat.", "Anything else")
        ]
    finally:
        logger.filters = before
    assert logged == [False, True]

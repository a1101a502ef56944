"""A module that Dask preloads in each worker of a run's own cluster.

A worker may be in the middle of a heartbeat when its scheduler closes. Dask logs that as an error with a traceback, but
here it is the normal end of a run on a busy machine.
"""

from __future__ import annotations

import logging

_LOST_HEARTBEAT = "Failed to communicate with scheduler during heartbeat"


def dask_setup(worker: object) -> None:  # noqa: ARG001 - Dask passes it
    """Set up logging. Dask calls this in the worker's process."""
    logging.getLogger("distributed.worker").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_LOST_HEARTBEAT)

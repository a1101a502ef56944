"""What each worker of a run's own Dask cluster does when it starts: Dask preloads this module.

A worker whose scheduler has just closed may be in the middle of a heartbeat. Dask logs that as an error, with a
traceback; here it is how every run ends, when the machine is busy.
"""

from __future__ import annotations

import logging

_LOST_HEARTBEAT = "Failed to communicate with scheduler during heartbeat"


def dask_setup(worker: object) -> None:  # noqa: ARG001 - what Dask calls
    """Called by Dask in the worker's process."""
    logging.getLogger("distributed.worker").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_LOST_HEARTBEAT)

"""The Dask cluster a run uses: its own local one, or one whose address the configuration gives."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ocr_core.errors import EnvironmentFault, InkstreamError, WorkersLostError
from tasks.config import ExecutionOptions
from tasks.interrupts import interrupts_held
from tasks.range_work import check_worker


@contextmanager
def open_cluster(execution: ExecutionOptions, pipeline: str) -> Iterator[Any]:
    """Yields a `distributed.Client` whose workers have all been checked.

    Args:
        execution: Where the workers are.
        pipeline: `PipelineOptions` as canonical JSON, to check the workers against.

    Raises:
        EnvironmentFault: If the scheduler cannot be reached or a worker lacks what the pipeline needs.
        WorkersLostError: If the scheduler has no worker in time.
    """
    import dask
    import distributed  # noqa: F401 - brings its own defaults; set first, ours would take them along when they end

    settings = {
        "distributed.scheduler.allowed-failures": 2,
        "distributed.scheduler.worker-saturation": 1.0,
    }
    with dask.config.set(settings), _connect(execution) as client:
        try:
            client.wait_for_workers(1, timeout=execution.worker_wait_seconds)
        except TimeoutError:
            raise WorkersLostError(f"the Dask scheduler {client.scheduler.address} has no worker") from None
        check_workers(client, pipeline)
        yield client


def check_workers(client: Any, pipeline: str) -> frozenset[str]:
    """Checks the workers that are there; one that dies meanwhile is not to blame, and one that joins checks itself.

    Returns:
        The `pipeline_id` of what they would make; several where they have different versions.

    Raises:
        EnvironmentFault: If a worker lacks what the pipeline needs.
    """
    found = set()
    for address, answer in client.run(check_worker, pipeline, on_error="return").items():
        if isinstance(answer, InkstreamError):
            raise answer
        if isinstance(answer, Exception) and not isinstance(answer, OSError):
            raise EnvironmentFault(
                f"the Dask worker {address} cannot run Inkstream: {answer}",
                "install the same version of Inkstream on every worker",
            )
        if isinstance(answer, str):
            found.add(answer)
    return frozenset(found)


@contextmanager
def _connect(execution: ExecutionOptions) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    # Importing distributed sets its loggers to INFO: under Prefect, whose handlers show that, a cluster would tell
    # every step of its life.
    logging.getLogger("distributed").setLevel(logging.ERROR)
    if execution.scheduler is not None:
        try:
            client = Client(execution.scheduler, timeout=5, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise EnvironmentFault(
                f"no Dask scheduler answers at {execution.scheduler} ({error})",
                "start one with `dask scheduler --host 127.0.0.1 --no-dashboard`, or leave execution.scheduler out",
            ) from None
        with client:
            yield client
        return
    with interrupts_held():
        cluster = LocalCluster(
            n_workers=execution.workers or os.cpu_count() or 1,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # None means port 8787 on every interface
            memory_limit=0,
            silence_logs=logging.ERROR,
            preload=["tasks.local_worker"],
        )
    with cluster, Client(cluster, set_as_default=False) as client:
        yield client

"""The Dask cluster a run uses: its own local one, or one whose address the configuration gives."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from typing import Any

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError, WorkersLostError
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.pipeline.environment import Part, joined_versions, pipeline_id
from inkstream.tasks.config import ExecutionOptions
from inkstream.tasks.stores.copies import leave_copies
from inkstream.tasks.work.loop_thread import on_loop_of, open_in_loop_thread
from inkstream.tasks.work.page_range import check_worker
from inkstream.tasks.work.placement import by_task, require_readers, wanted

_GOODBYE_SECONDS = 10


@contextmanager
def open_cluster(execution: ExecutionOptions, pipeline: str) -> Iterator[Any]:
    """Yields a `distributed.Client` whose workers have all been checked.

    The client lives on a loop in another thread; `inkstream.tasks.work.loop_thread.on_loop_of` has things done there.

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
    # Importing distributed sets its loggers to INFO: under Prefect, whose handlers show that, a cluster would tell
    # every step of its life.
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with dask.config.set(settings), open_in_loop_thread(lambda: _connect(execution)) as client:
        check_workers(client, pipeline, execution.recognize_resources)
        yield client


def check_workers(client: Any, pipeline: str, resources: Mapping[str, float]) -> frozenset[str]:
    """Checks the workers that are there; one that dies meanwhile is not to blame, and one that joins checks itself.

    Args:
        client: Of the cluster.
        pipeline: `PipelineOptions` as canonical JSON.
        resources: What a worker must declare to read lines; empty: any worker does everything.

    Returns:
        The `pipeline_id` of what they would make; several where they have different versions.

    Raises:
        EnvironmentFault: If a worker lacks what it needs for its part of the pipeline, or nobody declares `resources`.
    """
    options = PipelineOptions.model_validate_json(pipeline)
    require_readers(client, resources)
    pages, lines = by_task(client, resources)
    if pages.keys() & lines:
        return frozenset(pipeline_id(options, versions) for versions in _check(client, pipeline, None, list(pages)))
    drawn = _check(client, pipeline, "pages", list(pages))
    read = _check(client, pipeline, "lines", list(lines))
    return frozenset(pipeline_id(options, joined_versions(one, other)) for one in drawn for other in read)


def _check(client: Any, pipeline: str, part: Part | None, workers: list[str]) -> list[dict[str, str]]:
    """Returns the versions that some workers have."""
    found: list[dict[str, str]] = []
    check = partial(client.run, check_worker, pipeline, part, workers=workers, on_error="return")
    for address, answer in on_loop_of(client, check).items():
        if isinstance(answer, InkstreamError):
            raise answer
        if isinstance(answer, Exception) and not isinstance(answer, OSError):
            raise EnvironmentFault(
                f"the Dask worker {address} cannot run Inkstream: {answer}",
                "install the same version of Inkstream on every worker",
            )
        if isinstance(answer, dict) and answer not in found:
            found.append(answer)
    return found


@asynccontextmanager
async def _connect(execution: ExecutionOptions) -> AsyncIterator[Any]:
    """Yields a client that is connected to at least one worker."""
    opening = _own_cluster(execution) if execution.scheduler is None else _given_cluster(execution.scheduler)
    async with opening as client:
        try:
            await client.wait_for_workers(1, timeout=execution.worker_wait_seconds)
        except TimeoutError:
            raise WorkersLostError(f"the Dask scheduler {client.scheduler.address} has no worker") from None
        yield client


@asynccontextmanager
async def _given_cluster(scheduler: str) -> AsyncIterator[Any]:
    from distributed import Client

    client: Any = Client(scheduler, timeout=5, asynchronous=True, set_as_default=False)
    try:
        try:
            await client
        except (OSError, TimeoutError, ValueError) as error:
            raise EnvironmentFault(
                f"no Dask scheduler answers at {scheduler} ({error})",
                "start one with `dask scheduler --host 127.0.0.1 --no-dashboard`, or leave execution.scheduler out",
            ) from None
        yield client
    finally:
        await _leave_copies(client)
        await client.close()


@asynccontextmanager
async def _own_cluster(execution: ExecutionOptions) -> AsyncIterator[Any]:
    from distributed import Client, LocalCluster
    from distributed.gc import disable_gc_diagnosis

    if execution.recognize_resources:
        declared = wanted(execution.recognize_resources)
        raise EnvironmentFault(
            f"execution.recognize_resources asks for {declared}, and a run's own workers declare nothing",
            "start a `dask scheduler`, a `dask worker ADDRESS` or several, and another with "
            f'`dask worker ADDRESS --resources "{declared}"`; set execution.scheduler to its address',
        )
    cluster: Any = LocalCluster(
        n_workers=execution.workers or os.cpu_count() or 1,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # None means port 8787 on every interface
        memory_limit=0,
        silence_logs=logging.ERROR,
        preload=["inkstream.tasks.work.local_worker"],
        asynchronous=True,
    )
    try:
        starting = asyncio.ensure_future(cluster)
        try:
            await asyncio.shield(starting)
        finally:
            # Also when interrupted: a cluster cannot be closed before its workers have started.
            await asyncio.wait([starting])
        # The scheduler adds code to every garbage collection, to log how long it took; an interrupt in there is lost.
        disable_gc_diagnosis()
        async with Client(cluster, asynchronous=True, set_as_default=False) as client:
            yield client
    finally:
        await cluster.close()


async def _leave_copies(client: Any) -> None:
    """Has workers that live on remove what they keep of this run; one that cannot be reached does so by itself."""
    with suppress(Exception):
        if client.status == "running":
            await asyncio.wait_for(client.run(leave_copies, client.id, on_error="ignore"), _GOODBYE_SECONDS)

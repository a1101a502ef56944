"""The Dask cluster that a run uses: its own local one, or the one at the configured address."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from inkstream.ocr_core.engines.entry import Share
from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError, WorkersLostError
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.pipeline.environment import joined_versions
from inkstream.ocr_core.pipeline.fingerprint import pipeline_id
from inkstream.tasks.config import ExecutionOptions
from inkstream.tasks.stores.copies import leave_copies
from inkstream.tasks.work import worker_watch
from inkstream.tasks.work.loop_thread import on_loop_of, open_in_loop_thread
from inkstream.tasks.work.placement import by_task, require_readers, wanted
from inkstream.tasks.work.processors import usable_cpus
from inkstream.tasks.work.worker_state import check_worker
from inkstream.tasks.work.worker_watch import Illness, give_up_on, told

_GOODBYE_SECONDS = 10
_OPEN_FILES, _OPEN_FILES_PER_WORKER = 60, 20
"""What a run with workers of its own needs: with two workers, 64 were enough for a few small files, and 45 were not."""
_ENOUGH_FILES = 65536


@contextmanager
def open_cluster(execution: ExecutionOptions, pipeline: str) -> Iterator[Any]:
    """Yield a `distributed.Client` whose workers have all been checked.

    The client runs on a loop in another thread; use `inkstream.tasks.work.loop_thread.on_loop_of` to call functions
    there.

    Args:
        execution: Where the workers are.
        pipeline: `PipelineOptions` as canonical JSON, to check the workers against.

    Raises:
        EnvironmentFault: If the scheduler cannot be reached or a worker lacks what the pipeline needs.
        WorkersLostError: If the scheduler gets no worker in time.
    """
    import dask
    import distributed  # noqa: F401 - first, because it sets defaults that leaving our settings would remove

    settings = {
        "distributed.scheduler.allowed-failures": 2,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.scheduler.worker-ttl": f"{max(worker_watch.LEAST_PATIENCE, execution.worker_wait_seconds)}s",
    }
    # Importing distributed sets its loggers to INFO. Prefect's handlers show that level, so they would log every
    # step of the cluster.
    logging.getLogger("distributed").setLevel(logging.ERROR)
    with dask.config.set(settings), open_in_loop_thread(lambda: _connect(execution)) as client:
        check_workers(client, pipeline, execution.recognize_resources, execution.worker_wait_seconds)
        yield client


def check_workers(client: Any, pipeline: str, resources: Mapping[str, float], patience: float) -> frozenset[str]:
    """Check the current workers. A worker that dies meanwhile is ignored, and one that joins later checks itself.

    Args:
        client: The client of the cluster.
        pipeline: `PipelineOptions` as canonical JSON.
        resources: Resources that a worker must declare to read lines; empty: any worker does everything.
        patience: Seconds after which a worker that does not answer is given up.

    Returns:
        The `pipeline_id` of the rows that they would make; several if the workers have different versions.

    Raises:
        EnvironmentFault: If a worker lacks something for its part of the pipeline, or no worker declares `resources`.
        WorkersLostError: If none of them answers.
    """
    check = partial(_check, client, pipeline, patience)
    options = PipelineOptions.model_validate_json(pipeline)
    require_readers(client, resources)
    pages, lines = by_task(client, resources)
    if pages.keys() & lines:
        return frozenset(pipeline_id(options, versions) for versions in check(None, list(pages)))
    drawn = check("pages", list(pages))
    read = check("lines", list(lines))
    return frozenset(pipeline_id(options, joined_versions(own, other)) for own in drawn for other in read)


def _check(
    client: Any, pipeline: str, patience: float, share: Share | None, workers: list[str]
) -> list[dict[str, str]]:
    """Return the different sets of versions that workers have."""
    found: list[dict[str, str]] = []
    answers = on_loop_of(client, partial(_answers, client, pipeline, patience, share, workers))
    silent = {address: Illness.SILENT for address in workers if address not in answers}
    if silent and len(silent) == len(workers):
        raise WorkersLostError(told(silent))
    if silent:
        logging.getLogger("inkstream").warning("inkstream: %s; the run goes on with the others", told(silent))
    for address, answer in answers.items():
        if isinstance(answer, InkstreamError):
            raise answer
        if isinstance(answer, Exception) and not isinstance(answer, OSError):
            raise EnvironmentFault(
                f"the Dask worker {address} cannot run Inkstream: {answer}",
                "install the same version of Inkstream, with the same engines, on every worker",
            )
        if isinstance(answer, dict) and answer not in found:
            found.append(answer)
    return found


async def _answers(
    client: Any, pipeline: str, patience: float, share: Share | None, workers: list[str]
) -> dict[str, Any]:
    """Return the answers of the workers that answer in time, by address; the others are given up."""

    async def ask(address: str) -> dict[str, Any]:
        run = client.run(check_worker, pipeline, share, workers=[address], on_error="return")
        try:
            answer: dict[str, Any] = await asyncio.wait_for(run, max(worker_watch.LEAST_PATIENCE, patience))
        except TimeoutError:
            return {}
        return answer

    found = dict(item for answer in await asyncio.gather(*map(ask, workers)) for item in answer.items())
    silent = [address for address in workers if address not in found]
    if silent:
        await give_up_on(client, silent)
    return found


@asynccontextmanager
async def _connect(execution: ExecutionOptions) -> AsyncIterator[Any]:
    """Yield a client that is connected to at least one worker."""
    opening = _own_cluster(execution) if execution.scheduler is None else _given_cluster(execution.scheduler)
    async with opening as client:
        try:
            # A cluster that starts workers when there is work needs some before it has one.
            first = None if (await client.scheduler.identity(n_workers=-1))["workers"] else client.submit(int)
            await client.wait_for_workers(1, timeout=execution.worker_wait_seconds)
            del first
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
                "start one with `dask scheduler --host 127.0.0.1 --no-dashboard`, or remove execution.scheduler",
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
            f"execution.recognize_resources asks for {declared}, but the workers that a run starts declare nothing",
            "start a `dask scheduler`, one or more `dask worker ADDRESS`, and another one with "
            f'`dask worker ADDRESS --resources "{declared}"`; set execution.scheduler to its address',
        )
    workers = execution.workers or usable_cpus()
    _require_processes()
    _require_open_files(workers)
    cluster: Any = LocalCluster(
        n_workers=workers,
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
        except RuntimeError as error:
            raise EnvironmentFault(
                "Dask's workers do not start on this machine; nothing was read",
                "read the messages above; too little memory and too few processes (`ulimit -u`) are common causes",
            ) from error
        finally:
            # Wait even if interrupted: a cluster cannot be closed before its workers have started.
            await asyncio.wait([starting])
        # The scheduler hooks into each garbage collection to log its duration; an interrupt in that hook would be lost.
        disable_gc_diagnosis()
        async with Client(cluster, asynchronous=True, set_as_default=False) as client:
            yield client
    finally:
        await cluster.close()


def _require_processes() -> None:
    """Check that this process can start workers.

    Raises:
        EnvironmentFault: If the current folder is gone, or this machine has no semaphores.
    """
    try:
        Path.cwd()
    except OSError:
        raise EnvironmentFault("the current folder was removed; nothing was read", "change to another folder") from None
    try:
        multiprocessing.get_context("spawn").Lock()
    except OSError as error:
        raise EnvironmentFault(
            f"this machine cannot start worker processes: /dev/shm: {error.strerror}; nothing was read",
            "let this user write to /dev/shm, or set execution.scheduler to a Dask cluster elsewhere",
        ) from None


def _require_open_files(workers: int) -> None:
    """Raise the limit of open files as far as this user may, and check that it is high enough.

    Raises:
        EnvironmentFault: If it is not.
    """
    import resource

    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = _ENOUGH_FILES if most == resource.RLIM_INFINITY else min(most, _ENOUGH_FILES)
    if limit != resource.RLIM_INFINITY and limit < allowed:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
            limit = allowed
    needed = _OPEN_FILES + workers * _OPEN_FILES_PER_WORKER
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise EnvironmentFault(
            f"this process may open only {limit} files, and a run with {workers} workers needs {needed}; "
            "nothing was read",
            "raise the limit with `ulimit -n 4096`, or set execution.workers to a smaller number",
        )


async def _leave_copies(client: Any) -> None:
    """Make the remaining workers remove this run's copies. One that cannot be reached does so by itself later."""
    with suppress(Exception):
        if client.status == "running":
            await asyncio.wait_for(client.run(leave_copies, client.id, on_error="ignore"), _GOODBYE_SECONDS)

"""Placing work on workers: everything on any worker, or line reading on those that declare a resource."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.work.loop_thread import on_loop_of
from inkstream.tasks.work.page_range import RangeJob, run_range
from inkstream.tasks.work.page_range_in_parts import begin_range, finish_range, read_range
from inkstream.tasks.work.worker_watch import Illness, WorkerWatch, give_up_on

if TYPE_CHECKING:
    from distributed import Client, Future


class RangePlacement:
    """Places page ranges on the workers of a cluster.

    Args:
        client: The client of the cluster.
        resources: Resources that a worker must declare to read lines; empty: any worker does everything.
        on_end: Called with the key of each range that has ended, in another thread.
        patience: Seconds after which a worker that gives no sign of life is given up.
    """

    def __init__(
        self, client: Client, resources: Mapping[str, float], on_end: Callable[[str], object], patience: float
    ) -> None:
        self._client = client
        self._resources = dict(resources)
        self._on_end = on_end
        pages, lines = by_task(client, resources)
        self._apart = pages.keys().isdisjoint(lines)
        self._pages = list(pages)
        self._placed: dict[str, frozenset[str]] = {}
        self._watch = WorkerWatch(patience)
        self.ill: dict[str, Illness] = {}
        """The workers that were ill when `threads` last looked, by address."""
        # Used only on the client's loop: a future that is created or released elsewhere is not safe to interrupt.
        self._futures: dict[str, Future[Any]] = {}

    @property
    def run(self) -> str:
        """Name of the run whose workers share copies of files; it is the client's id."""
        return str(self._client.id)

    def threads(self) -> int:
        """Return the number of threads that can run pages now; 0 while there is no worker for one of the parts.

        Workers that are ill do not count. One that gives no sign of life is given up, so that others do its work. A
        range whose workers have all gone is given up if there are others, so that it runs again there.
        """
        workers = on_loop_of(self._client, partial(_workers, self._client))
        self.ill = self._watch.look(workers, time.monotonic())
        silent = [address for address, illness in self.ill.items() if illness is Illness.SILENT]
        if silent:
            on_loop_of(self._client, partial(give_up_on, self._client, silent))
        pages, lines = _split({name: each for name, each in workers.items() if name not in self.ill}, self._resources)
        if not self._resources:
            return sum(pages.values())
        if self._apart and not pages.keys().isdisjoint(lines):
            return 0  # the remaining workers could run pages, but are reserved for lines
        if self._apart and pages:
            self._pages = list(pages)
            gone = [key for key, workers in self._placed.items() if workers.isdisjoint(pages)]
            if gone:
                on_loop_of(self._client, partial(self._cancel, gone))
        return sum(pages.values()) if lines else 0

    def submit(self, job: RangeJob) -> str:
        """Submit a range and return its key."""
        where = self._pages if self._apart else None
        key = on_loop_of(self._client, partial(self._submit, job, where))
        if where is not None:
            self._placed[key] = frozenset(where)
        return key

    def result(self, key: str, seconds: float) -> Any:
        """Return the result of a range, and release its future.

        Args:
            key: The key that `submit` returned.
            seconds: How long to wait.

        Raises:
            TimeoutError: If the result did not come in time.
            Exception: Whatever Dask raises if the range was cancelled, its workers died, or it could not run.
        """
        self._placed.pop(key, None)
        return on_loop_of(self._client, partial(self._result, key, seconds))

    def close(self) -> None:
        """Cancel every range whose result was not taken, so that it does not occupy the workers any longer."""
        if self._client.status == "running":  # otherwise the ranges are lost, and the loop may be gone
            on_loop_of(self._client, self._give_up)

    async def _submit(self, job: RangeJob, where: list[str] | None) -> str:
        done = self._begin(job, where)
        key = str(done.key)
        self._futures[key] = done
        done.add_done_callback(lambda _: self._on_end(key))
        return key

    def _begin(self, job: RangeJob, where: list[str] | None) -> Future[Any]:
        if not self._resources:
            return self._client.submit(run_range, job, pure=False, retries=0)
        begun = self._client.submit(begin_range, job, workers=where, pure=False, retries=0)
        read = self._client.submit(read_range, job, begun, resources=self._resources, pure=False, retries=0)
        return self._client.submit(finish_range, job, read, workers=where, pure=False, retries=0)

    async def _result(self, key: str, seconds: float) -> Any:
        return await asyncio.wait_for(self._futures.pop(key), seconds)

    async def _cancel(self, keys: Iterable[str]) -> None:
        await self._client.cancel([self._futures[key] for key in keys])

    async def _give_up(self) -> None:
        if self._futures:
            await self._cancel(self._futures)
        self._futures.clear()


def by_task(client: Any, resources: Mapping[str, float]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the workers that run pages and those that read lines: their numbers of threads, by address.

    If every worker declares the resources, or none are required, all workers do both.
    """
    return _split(on_loop_of(client, partial(_workers, client)), resources)


def _split(workers: Mapping[str, Any], resources: Mapping[str, float]) -> tuple[dict[str, int], dict[str, int]]:
    threads = {address: int(worker["nthreads"]) for address, worker in workers.items()}
    able = {
        address: threads[address]
        for address, worker in workers.items()
        if all(worker["resources"].get(name, 0) >= amount for name, amount in resources.items())
    }
    return {address: count for address, count in threads.items() if address not in able} or threads, able


async def _workers(client: Any) -> dict[str, Any]:
    """Return the scheduler's information about its workers, by address; empty if it cannot be reached."""
    with suppress(OSError):
        if client.status == "running":
            return dict((await client.scheduler.identity(n_workers=-1))["workers"])
    return {}


def require_readers(client: Any, resources: Mapping[str, float]) -> None:
    """Check that a worker declares the resources; otherwise work that needs them would wait forever.

    Raises:
        EnvironmentFault: If none does. The remedy is the command that starts such a worker.
    """
    if not by_task(client, resources)[1]:
        address = client.scheduler.address
        raise EnvironmentFault(
            f"no Dask worker declares {wanted(resources)}, which execution.recognize_resources asks for",
            f'dask worker {address} --nthreads 1 --resources "{wanted(resources)}"; or remove the option',
        )


def wanted(resources: Mapping[str, float]) -> str:
    """Return resources in the format of `dask worker --resources`."""
    return " ".join(f"{name}={amount:g}" for name, amount in resources.items())

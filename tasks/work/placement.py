"""Which workers do what: everything on any of them, or the reading of lines on those that declare a resource."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.work.loop_thread import on_loop_of
from inkstream.tasks.work.page_range import RangeJob, run_range
from inkstream.tasks.work.page_range_in_parts import begin_range, finish_range, read_range

if TYPE_CHECKING:
    from distributed import Client, Future


class Placement:
    """Puts page ranges onto the workers of a cluster.

    Args:
        client: Of that cluster.
        resources: What a worker must declare to read lines; empty: any worker does everything.
        on_end: Called with the key of each range that has ended, in another thread.
    """

    def __init__(self, client: Client, resources: Mapping[str, float], on_end: Callable[[str], object]) -> None:
        self._client = client
        self._resources = dict(resources)
        self._on_end = on_end
        pages, lines = by_task(client, resources)
        self._apart = pages.keys().isdisjoint(lines)
        self._pages = list(pages)
        self._placed: dict[str, frozenset[str]] = {}
        # Used on the client's loop alone: a future that is made or released elsewhere does not bear an interrupt.
        self._futures: dict[str, Future[Any]] = {}

    @property
    def run(self) -> str:
        """What the workers call the run whose copies of files they share: all that one client has them do."""
        return str(self._client.id)

    def threads(self) -> int:
        """Returns how many threads pages can run on now; 0 while nobody is there to do one of the parts.

        A range whose workers have all gone is given up when there are others, to be run again there.
        """
        pages, lines = by_task(self._client, self._resources)
        if not self._resources:
            return sum(pages.values())
        if self._apart and not pages.keys().isdisjoint(lines):
            return 0  # those that are left could run pages, but are not for that
        if self._apart and pages:
            self._pages = list(pages)
            gone = [key for key, workers in self._placed.items() if workers.isdisjoint(pages)]
            if gone:
                on_loop_of(self._client, partial(self._cancel, gone))
        return sum(pages.values()) if lines else 0

    def submit(self, job: RangeJob) -> str:
        """Has a range run; returns its key."""
        where = self._pages if self._apart else None
        key = on_loop_of(self._client, partial(self._submit, job, where))
        if where is not None:
            self._placed[key] = frozenset(where)
        return key

    def result(self, key: str, seconds: float) -> Any:
        """Returns what a range came to, and forgets it.

        Args:
            key: As `submit` returned it.
            seconds: How long to wait.

        Raises:
            TimeoutError: If it did not come in time.
            Exception: As Dask raises it: the range was cancelled, its workers died, or it could not run there.
        """
        self._placed.pop(key, None)
        return on_loop_of(self._client, partial(self._result, key, seconds))

    def close(self) -> None:
        """Gives up every range that has not been forgotten: it must not go on occupying the workers."""
        if self._client.status == "running":  # else what ran there is lost, and the loop may be gone
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
    """Returns the workers that run pages and those that read lines, with their threads, by address.

    Where every worker declares the resources, or none are asked for, all do both.
    """
    workers = on_loop_of(client, partial(_workers, client))
    threads = {address: int(worker["nthreads"]) for address, worker in workers.items()}
    able = {
        address: threads[address]
        for address, worker in workers.items()
        if all(worker["resources"].get(name, 0) >= amount for name, amount in resources.items())
    }
    return {address: count for address, count in threads.items() if address not in able} or threads, able


async def _workers(client: Any) -> dict[str, Any]:
    """Returns what the scheduler says of its workers, by address; none if it cannot be asked."""
    with suppress(OSError):
        if client.status == "running":
            return dict((await client.scheduler.identity(n_workers=-1))["workers"])
    return {}


def require_readers(client: Any, resources: Mapping[str, float]) -> None:
    """Refuses a cluster in which nobody declares the resources: work for them would wait forever.

    Raises:
        EnvironmentFault: With the command that starts a worker which does.
    """
    if not by_task(client, resources)[1]:
        address = client.scheduler.address
        raise EnvironmentFault(
            f"no Dask worker declares {wanted(resources)}, which execution.recognize_resources asks for",
            f'dask worker {address} --nthreads 1 --resources "{wanted(resources)}"; or leave the option out',
        )


def wanted(resources: Mapping[str, float]) -> str:
    """Returns resources as `dask worker --resources` takes them."""
    return " ".join(f"{name}={amount:g}" for name, amount in resources.items())

"""Which workers do what: everything on any of them, or the reading of lines on those that declare a resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.tasks.work.page_range import RangeJob, run_range
from inkstream.tasks.work.page_range_in_parts import begin_range, finish_range, read_range

if TYPE_CHECKING:
    from distributed import Client, Future


class Placement:
    """Puts page ranges onto the workers of a cluster.

    Args:
        client: Of that cluster.
        resources: What a worker must declare to read lines; empty: any worker does everything.
    """

    def __init__(self, client: Client, resources: Mapping[str, float]) -> None:
        self._client = client
        self._resources = dict(resources)
        pages, lines = by_task(client, resources)
        self._apart = pages.keys().isdisjoint(lines)
        self._pages = list(pages)
        self._placed: dict[Future[Any], frozenset[str]] = {}

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
            for future, workers in list(self._placed.items()):
                if workers.isdisjoint(pages):
                    future.cancel()
        return sum(pages.values()) if lines else 0

    def submit(self, job: RangeJob) -> Future[Any]:
        """Has a range run; returns the future of its result."""
        if not self._resources:
            return self._client.submit(run_range, job, pure=False, retries=0)
        where = self._pages if self._apart else None
        begun = self._client.submit(begin_range, job, workers=where, pure=False, retries=0)
        read = self._client.submit(read_range, job, begun, resources=self._resources, pure=False, retries=0)
        done = self._client.submit(finish_range, job, read, workers=where, pure=False, retries=0)
        if where is not None:
            self._placed[done] = frozenset(where)
            done.add_done_callback(lambda future: self._placed.pop(future, None))
        return done


def by_task(client: Client, resources: Mapping[str, float]) -> tuple[dict[str, int], dict[str, int]]:
    """Returns the workers that run pages and those that read lines, with their threads, by address.

    Where every worker declares the resources, or none are asked for, all do both.
    """
    workers = client.scheduler_info(n_workers=-1)["workers"]
    threads = {address: int(worker["nthreads"]) for address, worker in workers.items()}
    able = {
        address: threads[address]
        for address, worker in workers.items()
        if all(worker["resources"].get(name, 0) >= amount for name, amount in resources.items())
    }
    return {address: count for address, count in threads.items() if address not in able} or threads, able


def require_readers(client: Client, resources: Mapping[str, float]) -> None:
    """Refuses a cluster in which nobody declares the resources: work for them would wait for ever.

    Raises:
        EnvironmentFault: With the command that starts a worker which does.
    """
    if not by_task(client, resources)[1]:
        address = client.scheduler_info(n_workers=0)["address"]
        raise EnvironmentFault(
            f"no Dask worker declares {wanted(resources)}, which execution.recognize_resources asks for",
            f'dask worker {address} --nthreads 1 --resources "{wanted(resources)}"; or leave the option out',
        )


def wanted(resources: Mapping[str, float]) -> str:
    """Returns resources as `dask worker --resources` takes them."""
    return " ".join(f"{name}={amount:g}" for name, amount in resources.items())

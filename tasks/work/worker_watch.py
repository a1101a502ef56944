"""Workers that are ill: paused by Dask because their memory is full, or frozen, so that nothing comes back."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any

LEAST_PATIENCE = 30.0
"""Seconds that a worker is given to answer at least: a busy one needs some to load its engines."""


class Illness(StrEnum):
    """Why a worker does no work, as the end of a sentence."""

    PAUSED = "is paused by Dask, because its memory is full"
    SILENT = "does not answer"


class WorkerWatch:
    """Finds the workers that are ill, from what the scheduler knows of them.

    Args:
        patience: Seconds without a sign of life after which a worker is silent. Others give one every few seconds.
    """

    def __init__(self, patience: float) -> None:
        self._patience = max(LEAST_PATIENCE, patience)
        self._signs: dict[str, tuple[Any, float]] = {}

    def look(self, workers: Mapping[str, Mapping[str, Any]], now: float) -> dict[str, Illness]:
        """Return the workers that are ill, by address.

        A paused worker that still runs something is not: its memory may become free.

        Args:
            workers: What the scheduler knows of each worker, by address.
            now: The time in seconds, by a clock that is never set back.
        """
        self._signs = {address: self._sign(address, worker, now) for address, worker in workers.items()}
        ill: dict[str, Illness] = {}
        for address, worker in workers.items():
            if now - self._signs[address][1] > self._patience:
                ill[address] = Illness.SILENT
            elif worker.get("status") == "paused" and not worker.get("metrics", {}).get("executing"):
                ill[address] = Illness.PAUSED
        return ill

    def _sign(self, address: str, worker: Mapping[str, Any], now: float) -> tuple[Any, float]:
        """Return the last sign of life, and when it was first seen here: the scheduler's clock may be another one."""
        sign = worker.get("last_seen")
        known = self._signs.get(address)
        return known if known is not None and known[0] == sign else (sign, now)


def told(ill: Mapping[str, Illness]) -> str:
    """Return which workers are ill, in words; empty if none is."""
    return "; ".join(f"the worker {address} {illness}" for address, illness in sorted(ill.items()))


async def give_up_on(client: Any, addresses: list[str]) -> None:
    """Make the scheduler forget workers, so that others do their work. One that wakes up may join again."""
    with suppress(OSError, RuntimeError):
        await client.run_on_scheduler(_forget, addresses=addresses)


async def _forget(addresses: list[str], dask_scheduler: Any = None) -> None:
    for address in addresses:
        await dask_scheduler.remove_worker(address, stimulus_id="inkstream-silent-worker", expected=True, close=False)

"""Options of how pages are processed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inkstream.ocr_core.options import Options
from inkstream.ocr_core.options.limits import LimitOptions


class ExecutionOptions(Options):
    """How pages are processed."""

    scheduler: str | None = Field(
        None,
        description="address of a Dask scheduler, such as tcp://127.0.0.1:8786; null: start a local cluster",
    )
    workers: int | None = Field(None, ge=1, description="number of workers in the local cluster; null: one per core")
    pages_per_range: int = Field(8, ge=1, description="pages of one file that a worker processes in one task")
    window_per_worker: int = Field(3, ge=1, description="page ranges in flight per worker")
    overlap: bool = Field(
        True,
        description="start the next batch while the last page ranges of a batch are in flight, so that no worker is "
        "idle; batches are still committed in order",
    )
    max_read_attempts: int = Field(
        3,
        ge=1,
        description="attempts to read a page range after transient faults before its file is left for the next trigger",
    )
    copies_mb: int = Field(
        2048,
        ge=0,
        description="MiB of source files that the workers of one machine share during a run, so that each machine "
        "fetches a file once; files that are being read are kept even beyond this limit",
    )
    worker_wait_seconds: float = Field(
        60.0, gt=0, description="seconds to wait for a worker when there is none, before this run gives up"
    )
    recognize_resources: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {},
        description="resources of the Dask workers that read lines (ppocr, trocr), such as {GPU: 1}, as given to `dask "
        "worker --resources`; the other workers render, find lines, draw and make rows; {}: every worker does "
        "everything",
    )
    limits: LimitOptions = Field(LimitOptions(), description="limits on what one page or file may cost")

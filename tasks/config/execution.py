"""Options of how pages are run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from inkstream.ocr_core.options import Options
from inkstream.ocr_core.options.limits import LimitOptions


class ExecutionOptions(Options):
    """How pages are run."""

    scheduler: str | None = Field(
        None, description="address of a Dask scheduler, such as tcp://127.0.0.1:8786; null: a local cluster of this run"
    )
    workers: int | None = Field(None, ge=1, description="workers of the local cluster; null: one a core")
    pages_per_range: int = Field(8, ge=1, description="pages of one file that are processed in one go")
    window_per_worker: int = Field(3, ge=1, description="page ranges in flight for each worker")
    overlap: bool = Field(
        True,
        description="start with the next batch when the last page ranges of a batch are in flight, so that no worker "
        "stands idle; batches are committed in order all the same",
    )
    max_read_attempts: int = Field(
        3,
        ge=1,
        description="tries of a page range that meets a passing fault, before its file is left for the next trigger",
    )
    copies_mb: int = Field(
        2048,
        ge=0,
        description="MiB of source files that the workers of one machine keep together while a run goes on, so that a "
        "file is fetched once a machine; files that are being read are kept beyond that",
    )
    worker_wait_seconds: float = Field(
        60.0, gt=0, description="seconds to wait for a worker while there is none, before giving up for now"
    )
    recognize_resources: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {},
        description="resources of Dask workers that read lines (ppocr, trocr), such as {GPU: 1}, as given to `dask "
        "worker --resources`; the others render, find, draw and make rows; {}: every worker does everything",
    )
    limits: LimitOptions = Field(LimitOptions(), description="what one page or file may cost")

"""State that a Dask worker keeps between page ranges: its sandboxed children, its model, and its checks."""

from __future__ import annotations

import atexit
import os
import threading
from functools import cache

from pydantic import ValidationError

from inkstream.ocr_core.engines.entry import Share
from inkstream.ocr_core.engines.registry import has_own_process
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.pipeline.environment import engine_versions, require_environment
from inkstream.ocr_core.workers.line_worker import LineWorker
from inkstream.ocr_core.workers.page_worker import PageWorker

_of_thread = threading.local()
_line_workers: list[LineWorker] = []
_line_workers_lock = threading.Lock()


def worker_identity(pipeline: str, share: Share | None = None) -> tuple[PipelineOptions, dict[str, str]]:
    """Return the options of a pipeline and this worker's versions for them, after checking the worker once.

    Args:
        pipeline: `PipelineOptions` as canonical JSON.
        share: The share of the pipeline that this worker runs; all of it if not given.

    Raises:
        EnvironmentFault: If the worker lacks something, such as an engine from another package. The error has the
            remedy.
    """
    return _identity(pipeline, share)


@cache
def _identity(pipeline: str, share: Share | None) -> tuple[PipelineOptions, dict[str, str]]:
    try:
        options = PipelineOptions.model_validate_json(pipeline)
    except ValidationError as error:
        unknown = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise EnvironmentFault(
            f"a worker does not know the options of this pipeline: {unknown}",
            "install the same version of Inkstream, with the same engines, on every worker",
        ) from None
    require_environment(options, share)
    return options, engine_versions(options, share)


def check_worker(pipeline: str, share: Share | None = None) -> dict[str, str]:
    """Return this worker's versions for a pipeline. Raises the errors of `worker_identity`."""
    return worker_identity(pipeline, share)[1]


def page_worker(options: PipelineOptions, limits: LimitOptions) -> PageWorker:
    """Return the page worker of this thread, after closing one with other options."""
    kept: tuple[PipelineOptions, LimitOptions, PageWorker] | None = getattr(_of_thread, "worker", None)
    if kept is not None and kept[0] == options and kept[1] == limits:
        return kept[2]
    if kept is not None:
        kept[2].close()
        atexit.unregister(kept[2].close)
    worker = PageWorker(options, limits, lines=line_worker(options, limits) if has_own_process(options) else None)
    atexit.register(worker.close)
    _of_thread.worker = (options, limits, worker)
    return worker


def line_worker(options: PipelineOptions, limits: LimitOptions) -> LineWorker:
    """Return the line worker that all threads share, so that each worker loads a model only once."""
    with _line_workers_lock:
        if not _line_workers or (_line_workers[0].options, _line_workers[0].limits) != (options.recognize, limits):
            for old in _line_workers:
                old.close()
                atexit.unregister(old.close)
            _line_workers[:] = [LineWorker(options.recognize, limits)]
            atexit.register(_line_workers[0].close)
        return _line_workers[0]


def peak_rss() -> int:
    """Return the highest resident memory of this process plus that of its largest child so far, in bytes."""
    import resource

    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + children) * 1024 if os.uname().sysname == "Linux" else own + children

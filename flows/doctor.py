"""Checks of what a run needs, on this machine and at the places that the configuration names."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from importlib.metadata import version
from pathlib import Path

from inkstream.flows.text import counted
from inkstream.ocr_core.engines.entry import Check
from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, InkstreamError, TransientError
from inkstream.ocr_core.installation import Extra, find_clone, install_command, missing_modules
from inkstream.ocr_core.pipeline.environment import check_environment
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.work.processors import usable_cpus

_SHOWN_VERSIONS: dict[Extra, tuple[str, ...]] = {
    "streaming": ("dask", "distributed", "deltalake", "pyarrow", "fsspec", "s3fs"),
    "prefect": ("prefect",),
}
_GIB = 1 << 30
_MIB = 1 << 20
_IDLE_MB = 300
"""MiB that a worker and its idle child take."""
_PATIENCE = 10.0
"""Seconds to wait for a Dask worker."""
_SAMPLE = "The quick brown fox jumps over the lazy dog"


def run_checks(config: StreamConfig, missing: Collection[str] = ()) -> Iterator[Check]:
    """Yield each check as soon as it is done. A check that passed but has a remedy is a note.

    Args:
        config: The configuration to run.
        missing: Which of `source.url` and `sink.url` were not given; their checks are skipped.
    """
    yield _check_python()
    yield _check_inkstream()
    places = {"source.url", "sink.url"} - set(missing)
    streaming = _check_extra("streaming", is_needed=bool(places))
    yield streaming
    yield _check_extra("prefect", is_needed=bool(os.environ.get("PREFECT_API_URL")))
    yield _check_temporary_space()
    if config.execution.scheduler is None:
        yield _check_memory(config)
    engines = check_environment(config.pipeline)
    yield from engines
    if all(check.ok for check in engines):
        yield _attempt("page process", lambda: _read_page(config))
    if not missing_modules("streaming"):
        yield from _check_services(config, places)


def _check_services(config: StreamConfig, places: Collection[str]) -> Iterator[Check]:
    """Yield the checks of the services that a stream uses; `places` has `source.url` and `sink.url` if given."""
    if config.execution.scheduler is not None:
        yield _attempt("Dask scheduler", lambda: _reach_scheduler(config))
    if not missing_modules("prefect"):
        yield _attempt("Prefect API", _reach_prefect)
    if "source.url" in places:
        yield _attempt("source", lambda: _list_source(config, places))
        if config.events.queue is not None:
            yield _attempt("event source", lambda: _ask_event_source(config))
    if "sink.url" in places:
        yield _attempt("sink", lambda: _write_sink(config))


def _attempt(name: str, action: Callable[[], str]) -> Check:
    try:
        return Check(name, True, action())
    except EnvironmentFault as fault:
        return Check(name, False, fault.problem, fault.remedy)
    except ConfigError as error:
        return Check(name, False, str(error), "correct the configuration; `inkstream config show` prints it")
    except TransientError as error:
        return Check(name, False, str(error), "check that it runs and can be reached from here, then try again")
    except InkstreamError as error:
        return Check(name, False, str(error), "run `inkstream ocr FILE` on one of your documents and read its message")


def _check_python() -> Check:
    is_new_enough = sys.version_info >= (3, 11)
    return Check(
        "python", is_new_enough, sys.version.split()[0], "" if is_new_enough else "install Python 3.11 or newer"
    )


def _check_inkstream() -> Check:
    clone = find_clone()
    return Check("inkstream", True, f"{version('inkstream')}, {f'from the clone {clone}' if clone else 'from a wheel'}")


def _check_extra(extra: Extra, *, is_needed: bool) -> Check:
    missing = missing_modules(extra)
    if missing:
        detail = f"not installed: {', '.join(missing)}"
        return Check(extra, not is_needed, detail, install_command(extra))
    return Check(extra, True, ", ".join(f"{name} {version(name)}" for name in _SHOWN_VERSIONS[extra]))


def _check_temporary_space() -> Check:
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    found = f"{free / _GIB:.1f} GiB free in {folder}"
    if free < _GIB:
        return Check("temporary space", False, found, "free some space there, or set TMPDIR to a folder with 1 GiB")
    return Check("temporary space", True, found)


def _check_memory(config: StreamConfig) -> Check:
    """Compare the free memory with the most that pages may take; few pages take that much."""
    workers = config.execution.workers or usable_cpus()
    page = config.execution.limits.memory_mb + _IDLE_MB
    free = _free_memory() // _MIB
    found = f"{free} MiB free; a page may take {config.execution.limits.memory_mb} MiB, on {workers} workers at once"
    if free < page:
        less = "lower execution.limits.memory_mb, or give this machine more memory"
        return Check("memory", False, f"{found}: not enough for one page", less)
    if free < workers * page:
        fewer = f"if pages are large, set execution.workers={free // page} or lower execution.limits.memory_mb"
        return Check("memory", True, f"{found}: not enough for {workers} of the largest pages", fewer)
    return Check("memory", True, found)


def _free_memory() -> int:
    """Return how many bytes can still be allocated on this machine or in this process's control group."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return free
    return free if limit == "max" else min(free, int(limit) - used)


def _read_page(config: StreamConfig) -> str:
    from PIL import Image, ImageDraw, ImageFont

    from inkstream.ocr_core.errors import DocumentError
    from inkstream.ocr_core.workers.page_worker import PageWorker

    picture = Image.new("L", (1200, 160), 255)
    ImageDraw.Draw(picture).text((40, 50), _SAMPLE, font=ImageFont.load_default(size=40), fill=0)
    with tempfile.TemporaryDirectory(prefix="inkstream-doctor-") as folder:
        path = Path(folder, "page.png")
        picture.save(path)
        started = time.perf_counter()
        with PageWorker(config.pipeline, config.execution.limits) as worker:
            result = worker.page(path, 0)
        seconds = time.perf_counter() - started
    if result.failure is not None:
        raise DocumentError(result.failure.kind, f"{result.failure.kind} on a small page: {result.failure.message}")
    return f"started, and read a page within its limits in {seconds:.1f} s"


def _reach_scheduler(config: StreamConfig) -> str:
    from inkstream.tasks.work.cluster import open_cluster
    from inkstream.tasks.work.placement import by_task

    wait = min(config.execution.worker_wait_seconds, _PATIENCE)
    execution = config.execution.model_copy(update={"worker_wait_seconds": wait})
    with open_cluster(execution, config.pipeline.canonical()) as client:
        workers = len(by_task(client, {})[0])
        return f"{execution.scheduler} answers, with {workers} workers that can read pages"


def _reach_prefect() -> str:
    from inkstream.flows.under_prefect.settings import api_configured, require_answer

    if not api_configured():
        return "not configured, and not needed"
    return f"{require_answer()} answers"


def _list_source(config: StreamConfig, places: Collection[str]) -> str:
    from inkstream.tasks.paths import refuse_sink_under_source
    from inkstream.tasks.source.listing import list_files

    if "sink.url" in places:
        refuse_sink_under_source(config.source.url, config.sink.url)
    started = time.perf_counter()
    files = list_files(config.source)
    return f"{counted(len(files), 'file')}, listed in {time.perf_counter() - started:.1f} s"


def _ask_event_source(config: StreamConfig) -> str:
    from inkstream.tasks.source.opening import count_messages, require_event_source

    url = require_event_source(config)
    status = count_messages(config.events)
    dead = "no dead-letter queue" if status.dead_letters is None else f"{status.dead_letters.waiting} dead letters"
    return f"{url} answers: about {status.waiting} messages wait, {dead}"


def _write_sink(config: StreamConfig) -> str:
    from inkstream.tasks.sinks.opening import open_sink
    from inkstream.tasks.stores.probe import probe_sink

    if not config.sink.traits.outlives_process:
        return "in memory; the rows are lost when the process ends"
    found = probe_sink(config.sink.url)
    at = open_sink(config.sink).version(config.stream)
    return f"{found}; {'no table yet' if at is None else f'the table is at version {at}'}"

"""`inkstream serve`: the flows of a stream as Prefect deployments, on a schedule and on demand, in one process."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from urllib.error import URLError
from urllib.request import urlopen

from inkstream.flows.under_prefect.lost_runs import HEARTBEAT_SECONDS, run_tags, watch_lost_runs
from inkstream.flows.under_prefect.settings import api_configured, require_answer, require_prefect
from inkstream.ocr_core.errors import ConfigError, EnvironmentFault
from inkstream.tasks.config import StreamConfig, format_duration, plain

if TYPE_CHECKING:
    import psutil
    from prefect import Flow
    from prefect.deployments.runner import RunnerDeployment
    from prefect.runner import Runner

HOST = "127.0.0.1"
START_SECONDS = 120
FIRST_START = timedelta(seconds=15)
"""The server looks for new schedules every five seconds, and skips a start that has passed by then."""
LEASES = "prefect.server.concurrency.lease_storage.filesystem"

SERVER_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    # With the default, in memory, a concurrency slot stays taken when the server is restarted.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES,
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_CLI_PROMPT": "false",
}
END_SECONDS = 10.0
"""How long a run may take to end by itself, in seconds."""
LISTEN_AGAIN = timedelta(minutes=5)
"""How often a run that follows events is started; it is cancelled at once while the one before still runs."""
RUN_SETTINGS = {
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_SECONDS),
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a deployment runs by itself; without an interval or a cron schedule, never.

    Attributes:
        every: Time from one start to the next; the first is a few seconds from now.
        cron: Cron's five fields, in UTC.
    """

    every: timedelta | None = None
    cron: str | None = None

    def fields(self) -> dict[str, Any]:
        """Return the schedule as arguments of Prefect's `to_deployment`.

        Raises:
            ConfigError: If the schedule is not valid.
        """
        if self.every is not None and self.cron is not None:
            raise ConfigError("give either an interval or a cron schedule, not both")
        from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

        if self.every is not None:
            return {"schedule": IntervalSchedule(interval=self.every, anchor_date=datetime.now(UTC) + FIRST_START)}
        if self.cron is None:
            return {}
        from pydantic import ValidationError

        try:
            CronSchedule(cron=self.cron)
        except ValidationError:
            raise ConfigError(f"{self.cron!r} is not a cron schedule; '*/5 * * * *' is every five minutes") from None
        return {"cron": self.cron}


def deployments(
    config: StreamConfig, schedule: Schedule = Schedule(), upkeep: Schedule = Schedule()
) -> list[RunnerDeployment]:
    """Return the deployments of one stream, named after it.

    Args:
        config: The stream; the form in the browser is filled in with it.
        schedule: When new documents are read.
        upkeep: When the table is compacted and vacuumed.

    Raises:
        ConfigError: If a schedule is not valid, the sink is in memory, or the event source cannot be followed.
    """
    if not config.sink.traits.outlives_process:
        raise ConfigError(
            "the rows of a memory sink are lost when a run's process ends; give a folder or URL as the sink"
        )
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.types.entrypoint import EntrypointType

    from inkstream.flows.loop.drain import in_absolute_terms
    from inkstream.flows.under_prefect.ingest_s3_events import ingest_s3_events
    from inkstream.flows.under_prefect.maintain_sink import maintain_sink
    from inkstream.flows.under_prefect.ocr_stream import ocr_stream
    from inkstream.flows.under_prefect.retry_and_reprocess import reprocess, retry
    from inkstream.tasks.source.opening import require_event_source

    config = in_absolute_terms(config)
    of_stream = {"config": plain(config)}
    one_at_a_time = ConcurrencyLimitConfig(
        limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW, grace_period_seconds=60
    )
    served: list[tuple[Flow[..., Any], dict[str, Any], Schedule, str]] = [
        (ocr_stream, of_stream, schedule, "Reads the new files of the source, each page exactly once."),
        (retry, of_stream, Schedule(), "Re-reads the pages that failed, each with its earlier options."),
        (reprocess, of_stream, Schedule(), "Re-reads the files whose rows another pipeline made."),
        (maintain_sink, {"sink": config.sink.url}, upkeep, "Compacts, checkpoints and vacuums the tables."),
    ]
    if config.events.queue is not None:
        require_event_source(config)
        what = "Reads files as the bucket's events announce them, each page exactly once, until cancelled."
        served.append((ingest_s3_events, of_stream, Schedule(LISTEN_AGAIN), what))
    made = [
        flow.to_deployment(
            name=config.stream,
            parameters=parameters,
            description=f"{what} Stream `{config.stream}`, from {config.source.url} to {config.sink.url}.",
            tags=run_tags(config.stream),
            concurrency_limit=one_at_a_time,
            entrypoint_type=EntrypointType.MODULE_PATH,
            **when.fields(),
        )
        for flow, parameters, when, what in served
    ]
    return cast("list[RunnerDeployment]", made)  # awaitables only inside an event loop


def serve_stream(
    config: StreamConfig, schedule: Schedule = Schedule(), upkeep: Schedule = Schedule(), *, port: int = 4200
) -> None:
    """Serve the flows of a stream until interrupted, and start a Prefect server if none is configured.

    Args:
        config: The stream.
        schedule: When new documents are read.
        upkeep: When the table is maintained.
        port: Port of the server that is started.

    Raises:
        ConfigError: If a schedule is not valid, or the port is taken.
        EnvironmentFault: If Prefect is not installed, or the server does not start.
        TransientError: If the configured server does not answer.
    """
    require_prefect()
    for name, value in RUN_SETTINGS.items():
        os.environ.setdefault(name, value)
    deployments(config, schedule, upkeep)  # report mistakes before a server is started
    with _server(port):
        require_answer()
        watch_lost_runs()
        _serve(deployments(config, schedule, upkeep))
    print("inkstream: stopped; the schedules are paused", file=sys.stderr, flush=True)  # noqa: T201


def _serve(served: list[RunnerDeployment]) -> None:
    """Serve as `prefect.serve` does, but let SIGTERM end the runs and pause the schedules as Ctrl-C does."""
    from prefect.runner import Runner

    runner = Runner(pause_on_shutdown=True)
    for deployment in served:
        runner.add_deployment(deployment)
    _announce(served)
    with suppress(KeyboardInterrupt):
        asyncio.run(_run_until_ended(runner))


async def _run_until_ended(runner: Runner) -> None:
    """Serve until a first signal, then wait for the runs to report that they crashed; a second signal ends at once."""
    loop = asyncio.get_running_loop()
    serving = asyncio.create_task(runner.start())
    endings: list[asyncio.Task[None]] = []

    def end(*, told: bool) -> None:
        if endings:
            serving.cancel()
        else:
            endings.append(loop.create_task(_end_in_order(serving, told=told)))

    runner.handle_sigterm = lambda *_: loop.call_soon_threadsafe(partial(end, told=False))  # type: ignore[method-assign,assignment]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # ignored in a shell script's background processes
        loop.add_signal_handler(signal.SIGINT, partial(end, told=True))
    with suppress(asyncio.CancelledError):
        await serving


async def _end_in_order(serving: asyncio.Task[None], *, told: bool) -> None:
    """End the runs that were started here, wait for them, and stop serving.

    Args:
        serving: The task that serves.
        told: Whether the runs got the signal too, as with a terminal's Ctrl-C.
    """
    import psutil

    runs = [child for child in psutil.Process().children() if _is_run(child)]
    if told:
        await _wait_for_end(runs)
    for run in runs:
        with suppress(psutil.NoSuchProcess):
            run.terminate()
    await _wait_for_end(runs)
    serving.cancel()


async def _wait_for_end(runs: list[psutil.Process]) -> None:
    end = time.monotonic() + END_SECONDS
    while any(_is_run(run) for run in runs) and time.monotonic() < end:
        await asyncio.sleep(0.1)


def _is_run(process: psutil.Process) -> bool:
    """Return whether Prefect's runner started this process for a run that has not ended."""
    import psutil

    try:
        return "prefect.engine" in process.cmdline()  # empty for a process that ended and was not waited for
    except psutil.NoSuchProcess:
        return False


@contextmanager
def _server(port: int) -> Iterator[None]:
    """Run a server during the block if none is configured."""
    if api_configured():
        yield
        return
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with _started_server(port) as url, temporary_settings({PREFECT_API_URL: url}):
        os.environ["PREFECT_API_URL"] = url  # for the processes of the runs
        try:
            yield
        finally:
            del os.environ["PREFECT_API_URL"]


@contextmanager
def _started_server(port: int) -> Iterator[str]:
    """Run a Prefect server on the loopback, shielded from the terminal's Ctrl-C, so that runs can report their end."""
    from inkstream.tasks.work.interrupts import interrupts_held

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if probe.connect_ex((HOST, port)) == 0:
            raise ConfigError(
                f"port {port} is taken; if a Prefect server listens there, set "
                f"PREFECT_API_URL=http://{HOST}:{port}/api; otherwise choose another port with --port"
            )
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    environment = {**SERVER_SETTINGS, **os.environ, "PREFECT_UI_API_URL": f"http://{HOST}:{port}/api"}
    print("inkstream: starting a Prefect server …", file=sys.stderr, flush=True)  # noqa: T201
    with interrupts_held():
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_until_healthy(f"http://{HOST}:{port}/api/health", server)
        yield f"http://{HOST}:{port}/api"
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urlopen(url, timeout=5):  # noqa: S310 - our own loopback address
                return
        except (URLError, OSError):
            if server.poll() is not None or time.monotonic() > end:
                raise EnvironmentFault(
                    "the Prefect server did not start", "run `prefect server start` to see why, or `inkstream doctor`"
                ) from None
            time.sleep(0.2)


def _announce(served: list[RunnerDeployment]) -> None:
    from prefect.settings import get_current_settings

    settings = get_current_settings()
    api = str(settings.api.url or "")
    page = settings.ui_url or api.removesuffix("/api")
    lines = [f"inkstream: open {page}/deployments to run these by hand:"]
    for deployment in served:
        when = "; ".join(str(_when(each.model_dump())) for each in deployment.schedules or []) or "on demand"
        lines.append(f"  {deployment.flow_name}/{deployment.name}: {when}")
    lines.append("Ctrl-C stops serving and pauses the schedules.")
    print("\n".join(lines), file=sys.stderr, flush=True)  # noqa: T201


def _when(schedule: Mapping[str, Any]) -> str:
    inner = schedule["schedule"]
    return f"cron {inner['cron']}" if "cron" in inner else f"every {format_duration(inner['interval'])}"

"""Processing batches: submitting their page ranges to Dask and collecting results, in a bounded window.

Batches are processed in order. When all ranges of a batch have started, idle workers begin with the next batch. At most
two batches are open, and this does not change what is committed, or in which order.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError, TransientError, WorkersLostError
from inkstream.tasks.config import ExecutionOptions, StreamConfig
from inkstream.tasks.model import Batch
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.work.dispatch import PageRange, next_range
from inkstream.tasks.work.open_batch import OnRange, OpenBatch, ProcessedBatch
from inkstream.tasks.work.placement import RangePlacement
from inkstream.tasks.work.worker_watch import told

if TYPE_CHECKING:
    from distributed import Client

POLL_SECONDS = 1.0

ConfiguredBatch = tuple[StreamConfig, Batch]
"""A batch, and the configuration for reading it."""


class Processing:
    """Runs the page ranges of open batches on Dask.

    Args:
        execution: How pages are processed.
        sink: The sink that has the rows to keep.
        connect: Returns the client; a new one if the last was lost.
        on_range: Called with each range that comes back.
    """

    def __init__(
        self, execution: ExecutionOptions, sink: Sink, connect: Callable[[], Client], on_range: OnRange
    ) -> None:
        self._execution = execution
        self._sink = sink
        self._connect = connect
        self._on_range = on_range
        self._client: Client | None = None
        self._placement: RangePlacement | None = None
        self._open: list[OpenBatch] = []
        self._ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._running: dict[str, tuple[OpenBatch, PageRange]] = {}
        self._window = (0.0, 0)

    def run(self, planned: ConfiguredBatch, ahead: ConfiguredBatch | None = None) -> ProcessedBatch:
        """Process every page of a batch. The caller closes the result's spool.

        Args:
            planned: The batch to process.
            ahead: The batch to begin with when all ranges of the first have started; the next call must process it.

        Raises:
            ConfigError: If an engine does not accept the value of an option.
            EnvironmentFault: If a worker lacks what the pipeline needs.
            TransientError: If no worker is left and none returns in time, or the scheduler is gone.
        """
        started = time.perf_counter()
        try:
            client = self._connect()
            if client is not self._client:  # the ranges of the last one are lost
                self.close()
                wait = self._execution.worker_wait_seconds
                self._placement = RangePlacement(client, self._execution.recognize_resources, self._ended.put, wait)
                self._client = client
            batch = self._opened(planned)
            self._finish(client, batch, self._opened(ahead) if ahead else None)
            processed = batch.finish()
        except OSError as error:  # distributed's comm errors, and a full disk under the spool
            raise TransientError(f"the batch could not be processed: {type(error).__name__}: {error}") from error
        self._open.remove(batch)
        processed.seconds = time.perf_counter() - started
        return processed

    def close(self) -> None:
        """Cancel the open batches, so that their ranges do not occupy the workers any longer."""
        if self._placement is not None:
            self._placement.close()
        self._running.clear()
        for batch in self._open:
            batch.processed.spool.close()
        self._open.clear()

    @property
    def _workers(self) -> RangePlacement:
        assert self._placement is not None
        return self._placement

    def _opened(self, planned: ConfiguredBatch) -> OpenBatch:
        for batch in self._open:
            if batch.processed.batch is planned[1]:
                return batch
        self._open.append(OpenBatch(*planned, self._sink, self._on_range))
        return self._open[-1]

    def _finish(self, client: Client, batch: OpenBatch, following: OpenBatch | None) -> None:
        while not batch.dispatch.finished:
            if batch.error is not None:
                raise batch.error
            self._fill_window(batch, following)
            self._take_in(batch, self._wait_for_one(client))

    def _fill_window(self, batch: OpenBatch, following: OpenBatch | None) -> None:
        if time.monotonic() - self._window[0] > POLL_SECONDS:
            self._window = (time.monotonic(), max(1, self._workers.threads()) * self._execution.window_per_worker)
        while len(self._running) < self._window[1]:
            after = following.dispatch if following is not None and following.error is None else None
            found = next_range(batch.dispatch, after, [work for _, work in self._running.values()])
            if found is None:
                return
            whose = batch if found[0] is batch.dispatch or following is None else following
            key = self._workers.submit(whose.job(found[1], self._workers.run))
            self._running[key] = (whose, found[1])

    def _wait_for_one(self, client: Client) -> str:
        """Wait for a range to end, and return its key.

        Raises:
            WorkersLostError: If the scheduler is gone, or there has been no worker for too long.
        """
        alone_since: float | None = None
        while True:
            try:
                return self._ended.get(timeout=POLL_SECONDS)
            except queue.Empty:
                pass
            if client.status != "running":
                raise WorkersLostError("the connection to the Dask scheduler was lost")
            if self._workers.threads():
                alone_since = None
                continue
            now = time.monotonic()
            alone_since = alone_since or now
            if now - alone_since > self._execution.worker_wait_seconds:
                ill = told(self._workers.ill)
                raise WorkersLostError(f"no Dask worker is left, and none came back in time{ill and f': {ill}'}")

    def _take_in(self, current: OpenBatch, key: str) -> None:
        if key not in self._running:
            return  # its batch was cancelled
        batch, work = self._running.pop(key)
        try:
            self._settle(batch, work, key)
        except (InkstreamError, OSError) as error:
            if batch is current:
                raise
            batch.error = error  # the batch before it can still be committed

    def _settle(self, batch: OpenBatch, work: PageRange, key: str) -> None:
        from distributed import CancelledError
        from distributed.scheduler import KilledWorker

        try:
            answer = self._workers.result(key, self._execution.worker_wait_seconds)
        except KilledWorker:
            batch.take_death(work)
        except (TimeoutError, CancelledError):
            batch.take_loss(work)
        except OSError:
            raise
        except Exception as error:
            raise EnvironmentFault(
                f"a Dask worker cannot run a page range: {type(error).__name__}: {error}",
                "install the same version of Inkstream on every worker and on the scheduler",
            ) from error
        else:
            batch.take_answer(work, answer)

"""A batch's page ranges onto Dask and back, in a bounded window.

Dask's opinion of what completed is never used to decide what is done: what counts is the page results in hand.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ocr_core.errors import EnvironmentFault, FailureKind, TransientError, WorkersLostError
from tasks.config import StreamConfig
from tasks.dispatch import Dispatch, FileState, PageRange
from tasks.kept_rows import keep_other_pages
from tasks.model import Batch, FileVersion, Redo
from tasks.range_work import Fault, RangeJob, RangeResult, Unforeseen, run_range, unreadable_result
from tasks.rows import ResultSpool, page_rows

if TYPE_CHECKING:
    from distributed import Client, Future

POLL_SECONDS = 1.0


@dataclass(slots=True)
class FileReport:
    """What became of one file of a batch.

    Attributes:
        file: The file version.
        pages: Page results in hand.
        failed_pages: How many of them are failures.
        kinds: Their kinds, counted.
        left_out: Why the file is not committed this time, or None.
        milliseconds: Wall time of its ranges on their workers, added up.
        confidence_sum: Sum of its page confidences.
        confidence_count: How many there are.
        overlays: URLs of the overlays written, in the order they arrived.
        kept_pages: Rows that were in the table and are kept, beside the `pages` that were read again.
    """

    file: FileVersion
    pages: int = 0
    failed_pages: int = 0
    kinds: Counter[FailureKind] = field(default_factory=Counter)
    left_out: str | None = None
    milliseconds: float = 0.0
    confidence_sum: float = 0.0
    confidence_count: int = 0
    overlays: list[str] = field(default_factory=list)
    kept_pages: int = 0


@dataclass(slots=True)
class ProcessedBatch:
    """A batch with all its page results in hand.

    Attributes:
        batch: What was planned.
        files: One report per planned file, in order.
        spool: The rows, by file index.
        pipelines: Engine versions of each `pipeline_id` among the rows.
        peak_rss: Highest resident memory of a worker with its child, bytes.
        seconds: Wall time.
    """

    batch: Batch
    files: list[FileReport]
    spool: ResultSpool
    pipelines: dict[str, dict[str, str]] = field(default_factory=dict)
    peak_rss: int = 0
    seconds: float = 0.0

    @property
    def complete(self) -> list[int]:
        """Indices of the files whose every planned page has a result."""
        return [i for i, report in enumerate(self.files) if report.left_out is None]


OnRange = Callable[[int, RangeResult], None]
"""Called with the file's index and its result as each page range comes back."""


def process_batch(config: StreamConfig, batch: Batch, client: Client, on_range: OnRange) -> ProcessedBatch:
    """Runs every page of a batch. The caller closes the result's spool.

    Args:
        config: The stream's configuration.
        batch: What to process.
        client: Where to run it.
        on_range: Told of each range that comes back.

    Raises:
        ConfigError: If an engine does not take an option as it is.
        EnvironmentFault: If a worker lacks what the pipeline needs.
        TransientError: If no worker is left and none comes back in time, or the scheduler is gone.
    """
    started = time.perf_counter()
    processed = ProcessedBatch(batch, [FileReport(file) for file in batch.files], ResultSpool())
    try:
        _BatchRun(config, processed, client, on_range).run()
        for index in processed.complete:
            processed.files[index].kept_pages = keep_other_pages(config.sink.url, batch, index, processed.spool)
    except OSError as error:  # distributed's comm errors, and a full disk under the spool
        processed.spool.close()
        raise TransientError(f"the batch could not be processed: {type(error).__name__}: {error}") from error
    except BaseException:
        processed.spool.close()
        raise
    processed.seconds = time.perf_counter() - started
    return processed


class _BatchRun:
    """The loop between the dispatch state machine and Dask's futures."""

    def __init__(self, config: StreamConfig, processed: ProcessedBatch, client: Client, on_range: OnRange) -> None:
        execution = config.execution
        self._config = config
        self._processed = processed
        self._client = client
        self._on_range = on_range
        self._pipeline = config.pipeline.canonical()
        self._dispatch = Dispatch(
            len(processed.batch.files),
            pages_per_range=execution.pages_per_range,
            max_attempts=execution.max_read_attempts,
            selected=config.pipeline.selected,
            again=processed.batch.redo.again if processed.batch.redo else None,
        )
        self._ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        self._running: dict[Any, tuple[PageRange, Future[Any]]] = {}
        self._window = (0.0, 0)

    def run(self) -> None:
        try:
            while not self._dispatch.finished:
                self._fill_window()
                self._take_in(self._wait_for_one())
        finally:
            # A batch that is given up must not go on occupying the workers.
            for _, future in self._running.values():
                future.cancel()
        for index, report in enumerate(self._processed.files):
            if self._dispatch.state(index) is FileState.LEFT_OUT:
                report.left_out = self._dispatch.reason(index)

    def _fill_window(self) -> None:
        if time.monotonic() - self._window[0] > POLL_SECONDS:
            self._window = (time.monotonic(), max(1, self._threads()) * self._config.execution.window_per_worker)
        while self._dispatch.running < self._window[1]:
            work = self._dispatch.next()
            if work is None:
                return
            future = self._client.submit(run_range, self._job(work), pure=False, retries=0)
            self._running[future.key] = (work, future)
            future.add_done_callback(self._ended.put)

    def _threads(self) -> int:
        """Returns how many threads the cluster's workers have now."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return sum(int(worker["nthreads"]) for worker in workers)

    def _job(self, work: PageRange) -> RangeJob:
        return RangeJob(
            file=self._processed.batch.files[work.file],
            pages=work.pages,
            count=work.count,
            total=work.total,
            stream=self._config.stream,
            pipeline=self._pipeline,
            limits=self._config.execution.limits,
            sink_url=self._config.sink.url,
        )

    def _wait_for_one(self) -> Future[Any]:
        """Waits for a future to end, and gives up only when there has been no worker for too long."""
        alone_since: float | None = None
        while True:
            try:
                return self._ended.get(timeout=POLL_SECONDS)
            except queue.Empty:
                pass
            if self._client.status != "running":
                raise WorkersLostError("the connection to the Dask scheduler was lost")
            if self._threads():
                alone_since = None
                continue
            now = time.monotonic()
            alone_since = alone_since or now
            if now - alone_since > self._config.execution.worker_wait_seconds:
                raise WorkersLostError("no Dask worker is left, and none came back in time")

    def _take_in(self, future: Future[Any]) -> None:
        from distributed import CancelledError
        from distributed.scheduler import KilledWorker

        work, _ = self._running.pop(future.key)
        try:
            answer = future.result(timeout=self._config.execution.worker_wait_seconds)
        except KilledWorker:
            if self._dispatch.worker_died(work):
                self._convict(work)
        except (TimeoutError, CancelledError):
            self._dispatch.failed_for_now(work, "its result was lost with its worker")
        except OSError:
            raise
        except Exception as error:
            raise EnvironmentFault(
                f"a Dask worker cannot run a page range: {type(error).__name__}: {error}",
                "install the same version of Inkstream on every worker and on the scheduler",
            ) from error
        else:
            self._take_answer(work, answer)

    def _take_answer(self, work: PageRange, answer: RangeResult | Fault | Unforeseen) -> None:
        if isinstance(answer, RangeResult):
            self._succeeded(work, answer)
        elif isinstance(answer, Unforeseen):
            self._blame(work, FailureKind.INTERNAL, answer.message)
        elif isinstance(answer, TransientError):
            self._dispatch.failed_for_now(work, str(answer))
        else:
            raise answer

    def _succeeded(self, work: PageRange, result: RangeResult) -> None:
        processed = self._processed
        if processed.batch.redo and self._other_bytes(work, result, processed.batch.redo):
            reason = "its bytes are not those that its other pages were read from; `inkstream reprocess` reads it whole"
            self._dispatch.failed_for_good(work, reason)
            return
        results = result.rows.num_rows
        processed.pipelines.setdefault(result.pipeline_id, result.engine_versions)
        processed.peak_rss = max(processed.peak_rss, result.peak_rss)
        report = processed.files[work.file]
        report.milliseconds += result.milliseconds
        report.confidence_sum += result.confidence_sum
        report.confidence_count += result.confidence_count
        report.overlays.extend(result.overlays)
        self._account(work, result.rows, result.kinds)
        self._dispatch.succeeded(work, total=result.total, results=results)
        self._on_range(work.file, result)

    def _other_bytes(self, work: PageRange, result: RangeResult, redo: Redo) -> bool:
        """Whether a file whose version is the same has other bytes, as after its modification time was set back."""
        again = redo.again.get(work.file)
        found = result.rows.column("content_hash").to_pylist()[0]
        return again is not None and None not in (found, again.content_hash) and found != again.content_hash

    def _convict(self, work: PageRange) -> None:
        self._blame(work, FailureKind.CRASH, "its worker died each time this page was tried, also by itself")

    def _blame(self, work: PageRange, kind: FailureKind, message: str) -> None:
        pages: list[int | None] = [None] if work.is_probe else list(work.pages)
        results = [unreadable_result(kind, message, page, work.total) for page in pages]
        rows = page_rows(
            self._processed.batch.files[work.file],
            results,
            stream=self._config.stream,
            pipeline_id=next(iter(self._processed.pipelines), None),
            content_hash=None,
            version_id=None,
            overlay_paths=[None] * len(results),
        )
        self._account(work, rows, (kind,) * len(results))
        self._dispatch.succeeded(work, total=work.total, results=len(results))

    def _account(self, work: PageRange, rows: Any, kinds: tuple[FailureKind, ...]) -> None:
        report = self._processed.files[work.file]
        self._processed.spool.add(work.file, rows)
        report.pages += rows.num_rows
        report.failed_pages += len(kinds)
        report.kinds.update(kinds)

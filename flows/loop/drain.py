"""The drain loop: plan, and for each batch process, commit, project the ledger. Plain Python.

The same loop runs directly and under Prefect: the only difference is the `StepRunner`, which calls each step as it is
or as a Prefect task. Neither path has logic of its own. A planner decides what there is to do, see
`inkstream.flows.loop.planners`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from inkstream.flows.loop.planners import Plan, Planner, Work
from inkstream.flows.loop.reporting import batch_progress, file_done
from inkstream.flows.loop.steps import StepRunner, run_directly
from inkstream.flows.loop.workers import Workers
from inkstream.ocr_core.errors import EnvironmentFault, FailureKind
from inkstream.ocr_core.pipeline.environment import require_environment
from inkstream.tasks.commit.loop import commit_batch, seen_after
from inkstream.tasks.commit.operations import Committed
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.paths import absolute, refuse_sink_under_source
from inkstream.tasks.progress import (
    BatchCommitted,
    BatchDone,
    Cleaned,
    Event,
    LedgerProjected,
    Listed,
    Observer,
    Planned,
    Processed,
    RangeDone,
    Summary,
    timestamp,
)
from inkstream.tasks.sinks.left_behind import write_pipeline, write_stream
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.source.cleaning import Cleaner, refuse_unsafe_cleaning
from inkstream.tasks.stores.probe import require_exclusive_create
from inkstream.tasks.work.open_batch import FileReport, ProcessedBatch
from inkstream.tasks.work.processing import Processing

if TYPE_CHECKING:
    from inkstream.ocr_core.options import PipelineOptions
    from inkstream.tasks.model import Batch
    from inkstream.tasks.work.page_range import RangeResult


SUSPICIOUS_FILES = 20
SUSPICIOUS_SHARE = 0.2
SUSPICIOUS_KINDS = (FailureKind.INTERNAL, FailureKind.CRASH)


class FaultGauge:
    """Tells a broken machine from bad documents: many files that end `internal` or `crash`."""

    def __init__(self) -> None:
        self._files = 0
        self._bad = 0

    def check(self, reports: Iterable[FileReport]) -> None:
        """Takes in a batch's files.

        Raises:
            EnvironmentFault: If more than a fifth of at least twenty files of this run ended so.
        """
        for report in reports:
            self._files += 1
            self._bad += any(report.kinds[kind] for kind in SUSPICIOUS_KINDS)
        if self._files >= SUSPICIOUS_FILES and self._bad > SUSPICIOUS_SHARE * self._files:
            raise EnvironmentFault(
                f"{self._bad} of {self._files} files ended {' or '.join(SUSPICIOUS_KINDS)}: "
                "that is this machine, not the documents; this batch was not committed",
                "run `inkstream doctor`, and `inkstream ocr FILE` on one of the files",
            )


def in_absolute_terms(config: StreamConfig) -> StreamConfig:
    """Returns the configuration with a source and a sink that mean the same in every worker's working directory."""
    archive = config.source.source_archive_dir
    places = {"url": absolute(config.source.url), "source_archive_dir": absolute(archive) if archive else None}
    source = config.source.model_copy(update=places)
    sink = config.sink.model_copy(update={"url": absolute(config.sink.url)})
    return config.model_copy(update={"source": source, "sink": sink})


class StreamRun:
    """One run of a stream: does what there is to do when it starts, in capped batches.

    Args:
        config: The stream's configuration.
        workers: Where pages run.
        planner: What there is to do.
        step: How each step is called.
        observers: Who is told what happens.
        run_id: What progress reports say of this run; a new one when not given.
    """

    def __init__(  # noqa: PLR0913 - what a run needs, each with a name
        self,
        config: StreamConfig,
        workers: Workers,
        planner: Planner,
        *,
        step: StepRunner = run_directly,
        observers: Iterable[Observer] = (),
        run_id: str | None = None,
    ) -> None:
        self._config = config = in_absolute_terms(config)
        self._workers = workers
        self._planner = planner
        self._step = step
        self._observers = tuple(observers)
        self._run_id = run_id or str(uuid.uuid4())
        self._sink = open_sink(config.sink)
        self._gauge = FaultGauge()
        self._known_pipelines: set[str] = set()
        self._cleaner: Cleaner | None = None
        self._seen = -1  # up to which `batch_id` nothing in the table can be of a batch to come
        self._processing = Processing(config.execution, workers.client, self._range_done)
        self.summary = Summary(table=self._sink.url)

    def drain(self) -> Summary:
        """Runs until everything there was to do at the start is committed or left out.

        Raises:
            ConfigError: If the configuration cannot be run.
            EnvironmentFault: If the machine lacks something; nothing more is committed.
            TransientError: If the work should be tried again later.
        """
        stream = self._config.stream
        started = time.perf_counter()
        plan = self.plan()
        work, self.summary.unsettled = plan.work, plan.unsettled
        listing_ms = (time.perf_counter() - started) * 1000
        self._publish(Planned(tuple(item.batch for item in work)))
        if self._planner.new_files and self._config.source.clean_source != "off":
            self._cleaner = Cleaner(self._config)
            self._step("clean_source", f"clean {stream}", lambda: self._clean_left_over(plan))
        if work:
            self._check({item.config.pipeline.canonical(): item.config.pipeline for item in work}.values())
            require_exclusive_create(self._config.sink.url)
            self._workers.client()  # checks the workers before anything is written
            if self._planner.new_files:
                write_stream(self._config)
        else:
            self._step("project_ledger", f"ledger {stream}", self._project_ledger)
        try:
            for number, item in enumerate(work):
                label = f"{stream} {number + 1}/{len(work)}"
                self._run_batch(item, next(iter(work[number + 1 :]), None), label, listing_ms if not number else 0.0)
        finally:
            self._processing.close()
        version = self._sink.version(stream)
        self.summary.version = -1 if version is None else version
        return self.summary

    def plan(self) -> Plan:
        """Finds out what there is to do, and does nothing of it. Raises as `drain` does."""
        config, planner = self._config, self._planner
        refuse_sink_under_source(config.source.url, config.sink.url)
        refuse_unsafe_cleaning(config)
        self._check([config.pipeline])
        return self._step(planner.step, f"{planner.step} {config.stream}", self._plan)

    def _check(self, pipelines: Iterable[PipelineOptions]) -> None:
        """Finds out what cannot work before anything is listed, planned or written."""
        from inkstream.ocr_core.pipeline.build import build_pipeline

        for pipeline in pipelines:
            build_pipeline(pipeline)
            if self._config.execution.scheduler is None:
                require_environment(pipeline)

    def _plan(self) -> Plan:
        plan = self._planner.plan(self._config, self._workers.made_by)
        files = [file for item in plan.work for file in item.batch.files]
        self._publish(Listed(plan.looked_at, len(files), sum(file.size for file in files), plan.waiting))
        return plan

    def _run_batch(self, item: Work, following: Work | None, label: str, listing_ms: float) -> None:
        begun, begun_at = time.perf_counter(), timestamp()
        processed = self._step("process_batch", f"process {label}", lambda: self._process(item, following))
        try:
            committed = self._step("commit_batch", f"commit {label}", lambda: self._commit(item, processed))
        finally:
            processed.spool.close()
        committed_ms = (time.perf_counter() - begun) * 1000
        self._step("project_ledger", f"ledger {label}", self._project_ledger)
        cleaned = None
        if self._cleaner is not None:
            cleaned = self._step("clean_source", f"clean {label}", lambda: self._clean(processed, committed))
        total_ms = (time.perf_counter() - begun) * 1000 + listing_ms
        durations = {
            "latestOffset": round(listing_ms),
            "processBatch": round(processed.seconds * 1000),
            "addBatch": round(committed_ms),
            "commitOffsets": round(total_ms - listing_ms - committed_ms),
            "triggerExecution": round(total_ms),
        }
        self._account(processed, committed)
        progress = batch_progress(
            item.config,
            processed,
            committed,
            run_id=self._run_id,
            table=self._sink.url,
            begun_at=begun_at,
            durations=durations,
            cleaned=cleaned,
        )
        files = tuple(file_done(report) for report in processed.files)
        self._publish(BatchDone(item.batch.attempt_id, progress, files))
        if committed and committed.batch_id is not None and self._sink.is_due(committed.batch_id):
            self._step("compact", f"compact {label}", self._compact)

    def _process(self, item: Work, following: Work | None) -> ProcessedBatch:
        ahead = following if self._config.execution.overlap else None
        processed = self._processing.run((item.config, item.batch), (ahead.config, ahead.batch) if ahead else None)
        pages = sum(report.pages for report in processed.files)
        self._publish(Processed(item.batch, len(processed.complete), pages))
        return processed

    def _range_done(self, batch: Batch, index: int, result: RangeResult) -> None:
        path, rows, failed = batch.files[index].path, result.rows, len(result.kinds)
        self._publish(RangeDone(batch.attempt_id, path, rows.num_rows, failed, result.total, result.overlays, rows))

    def _commit(self, item: Work, processed: ProcessedBatch) -> Committed | None:
        if not self._planner.expects_failures:
            self._gauge.check(processed.files)
        if not processed.complete:
            return None
        for made_by, versions in processed.pipelines.items():
            if made_by not in self._known_pipelines:
                write_pipeline(item.config, made_by, versions)
                self._known_pipelines.add(made_by)
        batch = replace(item.batch, planned_at=max(self._seen, item.batch.planned_at))
        replaced = frozenset(processed.complete if batch.redo else ())
        runner = self._sink.runner(batch, processed.spool, replaced)
        committed = commit_batch(runner, item.config, batch, processed.spool, processed.complete)
        self._seen = seen_after(batch.planned_at, committed)
        if committed.batch_id is not None:
            self._publish(BatchCommitted(committed.batch_id, committed.version, len(committed.files)))
        return committed

    def _project_ledger(self) -> None:
        self._sink.project_ledger(self._config)
        self._publish(LedgerProjected(self._config.stream))

    def _clean_left_over(self, plan: Plan) -> None:
        """Cleans what a run that was killed after its commit has left."""
        if self._cleaner is not None and plan.known:
            self._sink.project_ledger(self._config)
            self._took_out(self._cleaner.clean_left_over(plan.known))

    def _clean(self, processed: ProcessedBatch, committed: Committed | None) -> Cleaned:
        reports = [processed.files[index] for index in committed.files] if committed else []
        done = [report.file for report in reports if not report.failed_pages]
        return self._took_out(self._cleaner.clean(done) if self._cleaner else Cleaned(0, {}))

    def _took_out(self, cleaned: Cleaned) -> Cleaned:
        self.summary.cleaned += cleaned.files
        self.summary.not_cleaned += len(cleaned.failed)
        self._publish(cleaned)
        return cleaned

    def _compact(self) -> None:
        for done in self._sink.compact():
            self._publish(done)

    def _account(self, processed: ProcessedBatch, committed: Committed | None) -> None:
        summary = self.summary
        summary.left_out.update({f.file.path: f.left_out for f in processed.files if f.left_out is not None})
        summary.superseded += len(committed.superseded) if committed else 0
        if committed is None or committed.batch_id is None:
            return
        reports = [processed.files[index] for index in committed.files]
        summary.batches += 1
        summary.files += len(reports)
        summary.pages += sum(f.pages for f in reports)
        summary.failed_pages += sum(f.failed_pages for f in reports)
        summary.kept_pages += sum(f.kept_pages for f in reports)
        summary.overlays.extend(url for f in reports for url in f.overlays[:1])

    def _publish(self, event: Event) -> None:
        for observer in self._observers:
            observer(event)

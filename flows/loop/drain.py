"""The drain loop: plan, then process and commit each batch, bring the ledger up to date, and clean the source.

The same loop runs directly and under Prefect. The only difference is the `StepRunner`, which calls each step directly
or as a Prefect task. A planner decides what is read (`inkstream.flows.loop.planners`).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from inkstream.flows.loop.fault_gauge import FaultGauge
from inkstream.flows.loop.planners import Plan, Planner, Work
from inkstream.flows.loop.reporting import (
    BatchClock,
    batch_progress,
    count_batch,
    file_done,
    glob_notice,
    next_steps,
)
from inkstream.flows.loop.steps import StepRunner, run_directly
from inkstream.flows.loop.workers import Workers
from inkstream.ocr_core.errors import TransientError
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
    Finished,
    LedgerProjected,
    Listed,
    Notice,
    Observer,
    Planned,
    Processed,
    RangeDone,
    Summary,
)
from inkstream.tasks.sinks.left_behind import write_pipeline, write_stream
from inkstream.tasks.sinks.opening import open_sink, refuse_other_format
from inkstream.tasks.source.cleaning import Cleaner, done_files, refuse_unsafe_cleaning
from inkstream.tasks.source.unchanged import unchanged_versions
from inkstream.tasks.stores.probe import require_exclusive_create
from inkstream.tasks.work.open_batch import ProcessedBatch
from inkstream.tasks.work.processing import Processing

if TYPE_CHECKING:
    from inkstream.ocr_core.options import PipelineOptions
    from inkstream.tasks.model import Batch
    from inkstream.tasks.work.page_range import RangeResult


def in_absolute_terms(config: StreamConfig) -> StreamConfig:
    """Return the configuration with absolute paths for the source, its archive and the sink."""
    archive = config.source.source_archive_dir
    places = {"url": absolute(config.source.url), "source_archive_dir": absolute(archive) if archive else None}
    source = config.source.model_copy(update=places)
    sink = config.sink.model_copy(update={"url": absolute(config.sink.url)})
    return config.model_copy(update={"source": source, "sink": sink})


class StreamRun:
    """One run of a stream: reads what the planner finds at the start, in batches of limited size.

    Args:
        config: The stream's configuration.
        workers: Read the pages.
        planner: Decides what is read.
        step: Calls each step.
        observers: Called with each event.
        run_id: The run's id in progress reports; a new one if None.
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
        self._seen = -1
        """The highest `batch_id` that this run has compared with the files of its later batches."""
        self._processing = Processing(config.execution, self._sink, workers.client, self._range_done)
        self.summary = Summary(table=self._sink.url)

    def drain(self) -> Summary:
        """Commit or leave out every file that the planner finds at the start, and return what was committed.

        Raises:
            ConfigError: If the configuration cannot be run.
            EnvironmentFault: If the machine lacks something; nothing more is committed.
            TransientError: If the work should be tried again later.
        """
        started = time.perf_counter()
        self._recover()
        plan = self._plan_or_recover()
        self.summary.unsettled, self.summary.skipped = plan.unsettled, plan.skipped
        listing_ms = (time.perf_counter() - started) * 1000
        self._publish(Planned(tuple(work.batch for work in plan.work)))
        self._clean_what_was_left(plan)
        self._prepare(plan)
        try:
            for number, work in enumerate(plan.work):
                following = next(iter(plan.work[number + 1 :]), None)
                label = f"{self._config.stream} {number + 1}/{len(plan.work)}"
                self._run_batch(work, following, label, BatchClock(0.0 if number else listing_ms))
        finally:
            self._processing.close()
        version = self._sink.version(self._config.stream)
        self.summary.version = -1 if version is None else version
        failed_before = self._planner.expects_failures
        self.summary.next_steps = next_steps(self._config, self.summary, expects_failures=failed_before)
        self._publish(Finished(self.summary.next_steps))
        return self.summary

    def _run_batch(self, work: Work, following: Work | None, label: str, clock: BatchClock) -> None:
        """Process a batch, commit it, bring the ledger up to date and clean the source."""
        processed = self._step("process_batch", f"process {label}", lambda: self._process(work, following))
        try:
            committed = self._step("commit_batch", f"commit {label}", lambda: self._commit(work, processed))
        finally:
            processed.spool.close()
        clock.mark_commit()
        self._step("project_ledger", f"ledger {label}", self._project_ledger)
        if processed.unchanged:
            self._step("record_unchanged", f"unchanged {label}", lambda: self._record_unchanged(processed))
        cleaned = None
        if self._cleaner is not None:
            cleaned = self._step("clean_source", f"clean {label}", lambda: self._clean(processed, committed))
        self._report(work, processed, committed, cleaned, clock)
        if committed and committed.batch_id is not None and self._sink.is_due(committed.batch_id):
            self._step("compact", f"compact {label}", self._compact)

    # Plan

    def _plan_or_recover(self) -> Plan:
        """Return the plan; if the sink cannot be read, look for damage everywhere in it first."""
        try:
            return self.plan()
        except TransientError:
            if not self._recover(thorough=True):
                raise
        return self.plan()

    def _recover(self, *, thorough: bool = False) -> bool:
        """Repair what a power cut has damaged, and return whether anything was."""
        done = list(self._sink.recover(self._config.stream, thorough=thorough))
        for sentence in done:
            self._publish(Notice(sentence))
        return bool(done)

    def plan(self) -> Plan:
        """Return the planner's plan, without carrying it out. Raises as `drain` does."""
        config, planner = self._config, self._planner
        refuse_sink_under_source(config.source.url, config.sink.url)
        refuse_unsafe_cleaning(config)
        self._check([config.pipeline])
        plan = self._step(planner.step, f"{planner.step} {config.stream}", self._plan)
        if any(work.batch.planned_at < 0 for work in plan.work):  # the stream's first commit here
            refuse_other_format(config.sink)
        return plan

    def _plan(self) -> Plan:
        plan = self._planner.plan(self._config, self._sink, self._workers.made_by)
        files = [file for work in plan.work for file in work.batch.files]
        size = sum(file.size for file in files)
        self._publish(Listed(plan.looked_at, len(files), size, plan.waiting, plan.skipped))
        notice = glob_notice(self._config.source.glob, plan.looked_at, plan.skipped)
        if notice is not None:
            self._publish(Notice(notice))
        return plan

    def _check(self, pipelines: Iterable[PipelineOptions]) -> None:
        """Raise if a pipeline cannot run here, before anything is listed, planned or written."""
        from inkstream.ocr_core.pipeline.build import build_pipeline

        for pipeline in pipelines:
            build_pipeline(pipeline)
            if self._config.execution.scheduler is None:
                require_environment(pipeline)

    def _prepare(self, plan: Plan) -> None:
        """Check the sink and the workers before anything is written; with no work, bring the ledger up to date."""
        if not plan.work:
            self._step("project_ledger", f"ledger {self._config.stream}", self._project_ledger)
            return
        self._check({work.config.pipeline.canonical(): work.config.pipeline for work in plan.work}.values())
        require_exclusive_create(self._config.sink.url)
        self._workers.client()  # checks the workers
        if self._planner.new_files:
            write_stream(self._config)

    # Process

    def _process(self, work: Work, following: Work | None) -> ProcessedBatch:
        ahead = following if self._config.execution.overlap else None
        processed = self._processing.run((work.config, work.batch), (ahead.config, ahead.batch) if ahead else None)
        pages = sum(report.pages for report in processed.files)
        self._publish(Processed(work.batch, len(processed.complete), pages))
        return processed

    def _range_done(self, batch: Batch, index: int, result: RangeResult) -> None:
        path, rows, failed = batch.files[index].path, result.rows, len(result.kinds)
        self._publish(RangeDone(batch.attempt_id, path, rows.num_rows, failed, result.total, result.overlays, rows))

    # Commit

    def _commit(self, work: Work, processed: ProcessedBatch) -> Committed | None:
        if not self._planner.expects_failures:
            self._gauge.check(processed.files)
        if not processed.complete:
            return None
        for made_by, versions in processed.pipelines.items():
            if made_by not in self._known_pipelines:
                write_pipeline(work.config, made_by, versions)
                self._known_pipelines.add(made_by)
        batch = replace(work.batch, planned_at=max(self._seen, work.batch.planned_at))
        replaced = frozenset(processed.complete if batch.redo else ())
        committed = commit_batch(
            self._sink.runner(batch, processed.spool, replaced),
            batch,
            processed.spool,
            processed.complete,
            mode=work.config.sink.mode,
            selected=work.config.pipeline.selected,
        )
        self._seen = seen_after(batch.planned_at, committed)
        if committed.batch_id is not None:
            self._publish(BatchCommitted(committed.batch_id, committed.version, len(committed.files)))
        return committed

    # Ledger

    def _project_ledger(self) -> None:
        self._sink.project_ledger(self._config.stream)
        self._publish(LedgerProjected(self._config.stream))

    def _record_unchanged(self, processed: ProcessedBatch) -> None:
        versions = unchanged_versions((report.file, report.unchanged) for report in processed.unchanged)
        self._sink.record_unchanged(self._config.stream, versions)

    def _compact(self) -> None:
        for compacted in self._sink.compact():
            self._publish(compacted)

    # Clean

    def _clean_what_was_left(self, plan: Plan) -> None:
        """Clean files that an earlier run committed but did not clean, because it was killed in between."""
        if not self._planner.new_files or self._config.source.clean_source == "off":
            return
        cleaner = self._cleaner = Cleaner(self._config)

        def clean() -> None:
            if plan.known:
                self._sink.project_ledger(self._config.stream)
                self._count_cleaned(cleaner.clean_left_over(self._sink, plan.known, plan.stand_ins))

        self._step("clean_source", f"clean {self._config.stream}", clean)

    def _clean(self, processed: ProcessedBatch, committed: Committed | None) -> Cleaned:
        reports = [processed.files[index] for index in committed.files] if committed else []
        done = [report.file for report in reports if not report.failed_pages]
        stand_ins = {report.file.key: report.unchanged.stand_in for report in processed.files if report.unchanged}
        unchanged = [report.file for report in processed.unchanged]
        done += done_files(self._sink, self._config.stream, unchanged, stand_ins)
        return self._count_cleaned(self._cleaner.clean(done) if self._cleaner else Cleaned(0, {}))

    def _count_cleaned(self, cleaned: Cleaned) -> Cleaned:
        self.summary.cleaned += cleaned.files
        self.summary.not_cleaned += len(cleaned.failed)
        self._publish(cleaned)
        return cleaned

    # Report

    def _report(
        self,
        work: Work,
        processed: ProcessedBatch,
        committed: Committed | None,
        cleaned: Cleaned | None,
        clock: BatchClock,
    ) -> None:
        count_batch(self.summary, processed, committed)
        progress = batch_progress(
            work.config,
            processed,
            committed,
            run_id=self._run_id,
            table=self._sink.url,
            begun_at=clock.begun_at,
            durations=clock.durations(processed.seconds),
            cleaned=cleaned,
            skipped=self.summary.skipped,
        )
        files = tuple(file_done(report) for report in processed.files)
        self._publish(BatchDone(work.batch.attempt_id, progress, files))

    def _publish(self, event: Event) -> None:
        for observer in self._observers:
            observer(event)

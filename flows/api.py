"""`Stream` reads a stream of documents from Python."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from inkstream.flows.loop.drain import StreamRun
from inkstream.flows.loop.planners import FailedPages, NewFiles, OtherPipeline, Plan, Planner
from inkstream.flows.loop.workers import Workers
from inkstream.flows.under_prefect.settings import PrefectMode, goes_through_prefect
from inkstream.ocr_core.errors import ConfigError, FailureKind
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.progress import Observer, Summary

if TYPE_CHECKING:
    import pyarrow as pa

    from inkstream.flows.query import StreamingQuery


class Stream:
    """A stream that can be run again and again; the cluster is kept between runs.

    Args:
        config: Source, trigger, pipeline, sink, execution.
        observers: Called with each event (see `inkstream.tasks.progress`).
        prefect: `auto` runs under Prefect when a Prefect API is configured; `on` always (with Prefect's embedded
            server when none is configured); `off` never.

    Raises:
        ConfigError: If `prefect` is not one of these modes.

    Example:
        ```python
        from inkstream import Stream, build_config

        if __name__ == "__main__":  # Dask's workers import the script again
            with Stream(build_config({"source": {"url": "inbox"}, "sink": {"url": "tables"}})) as stream:
                print(stream.run().pages)
        ```
    """

    def __init__(
        self, config: StreamConfig, *, observers: Iterable[Observer] = (), prefect: PrefectMode = "off"
    ) -> None:
        self._config = config
        self._observers = tuple(observers)
        self._prefect = goes_through_prefect(prefect)
        self._workers = Workers(config)
        self._query: StreamingQuery | None = None

    def run(self, limit: int | None = None) -> Summary:
        """Read the new files in batches of limited size, and return what was committed.

        Args:
            limit: Read at most this many new files, in the order of the source; the rest wait for a later run.

        Raises:
            ConfigError: If the configuration cannot be run.
            EnvironmentFault: If the machine lacks something; the error names the remedy.
            TransientError: If the work should be tried again later.
        """
        return self.drain(NewFiles(limit))

    def retry(
        self, *, kinds: Sequence[FailureKind] = (), paths: Sequence[str] = (), overrides: Sequence[str] = ()
    ) -> Summary:
        """Re-read the pages that failed, each with its earlier options, and replace their rows.

        Args:
            kinds: Only these kinds of failure; all if empty.
            paths: Only these files, as paths, URLs, file names or globs; all if empty.
            overrides: `a.b=value` strings, added to the options that the pages were read with.

        Raises:
            InkstreamError: As `run` does.
        """
        return self.drain(FailedPages(tuple(map(FailureKind, kinds)), tuple(paths), tuple(overrides)))

    def reprocess(self, *, paths: Sequence[str] = ()) -> Summary:
        """Re-read the files whose rows were made by another pipeline than this configuration's, and replace their rows.

        Args:
            paths: Only these files, as paths, URLs, file names or globs; all if empty.

        Raises:
            InkstreamError: As `run` does.
        """
        return self.drain(OtherPipeline(tuple(paths)))

    def listen(self, *, once: bool = False, max_batches: int | None = None) -> Summary:
        """Follow the events of `events.queue`, and list the source every `events.backfill_interval`.

        Args:
            once: Stop as soon as the queue is empty; otherwise run until interrupted.
            max_batches: Stop after this many committed batches; batches that were announced together are all finished.

        Raises:
            InkstreamError: As `run` does; without `once`, a TransientError is retried here instead of raised.
        """
        try:
            if self._prefect:
                return self._listen_under_prefect(once, max_batches)
            from inkstream.flows.loop.listening import Listener

            listener = Listener(self._config, self.drain, self._workers.client, self._observers)
            return listener.listen(once=once, max_batches=max_batches)
        except BaseException:
            self._workers.close()
            raise

    def plan(self, planner: Planner) -> Plan:
        """Return what a planner would do, without doing it. Raises as `run` does."""
        return StreamRun(self._config, self._workers, planner, observers=self._observers).plan()

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return the stream's rows, newest batch first and pages in order. `.to_pandas()` makes them a data frame.

        Args:
            columns: Only these columns; all if None.

        Raises:
            ConfigError: If nothing has been committed yet.
            EnvironmentFault: If the sink cannot be read from this machine.
            TransientError: If the store does not answer.
        """
        from inkstream.tasks.sinks.opening import open_sink

        return open_sink(self._config.sink).rows(stream=self._config.stream, columns=columns)

    def start(self, *, every: str | timedelta = "1s", available_now: bool = False) -> StreamingQuery:
        """Run the stream repeatedly in the background until it is stopped.

        Args:
            every: How often to look for new files, as `30s`, `5m` or a timedelta. After a longer run the next
                one starts at once.
            available_now: Read the files that are new now, in batches of limited size, and stop.

        Raises:
            ConfigError: If the stream is already running, or `every` is not a duration.
        """
        from inkstream.flows.query import StreamingQuery
        from inkstream.tasks.config import parse_duration

        if self._query is not None and self._query.is_active:
            raise ConfigError(f"the stream {self._config.stream} is already running; stop its query first")
        pause = parse_duration(every) if isinstance(every, str) else every
        self._query = StreamingQuery(self._config, self.drain, pause=pause.total_seconds(), once=available_now)
        return self._query

    def close(self) -> None:
        """Stop the background query, if there is one, and the workers."""
        if self._query is not None:
            self._query.stop()
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def drain(self, planner: Planner, *, observers: Iterable[Observer] = (), run_id: str | None = None) -> Summary:
        """Read what a planner decides, and return what was committed. Raises as `run` does.

        Args:
            planner: Decides what is read.
            observers: Called with each event, after the stream's own observers.
            run_id: The run's id in progress reports; a new one if None.
        """
        everybody = (*self._observers, *observers)
        try:
            if self._prefect:
                return self._drain_under_prefect(planner, everybody, run_id)
            return StreamRun(self._config, self._workers, planner, observers=everybody, run_id=run_id).drain()
        except BaseException:
            self._workers.close()
            raise

    def _drain_under_prefect(self, planner: Planner, observers: Sequence[Observer], run_id: str | None) -> Summary:
        from inkstream.flows.under_prefect.lost_runs import watched_runs
        from inkstream.flows.under_prefect.planned_runs import run_planner
        from inkstream.flows.under_prefect.settings import PrefectGoneError, reach_server
        from inkstream.flows.under_prefect.watching import watching

        reach_server()
        from httpx import HTTPError  # what Prefect's client raises

        with watched_runs(self._config.stream), watching(observers, self._workers, run_id) as watch:
            try:
                run_planner(self._config, planner)
            except HTTPError as error:
                raise PrefectGoneError(
                    f"the Prefect API stopped answering ({error or type(error).__name__}); what is committed stays. "
                    "Run again when it is back, or with --prefect off"
                ) from error
        return watch.summaries[-1]

    def _listen_under_prefect(self, once: bool, max_batches: int | None) -> Summary:
        from inkstream.flows.under_prefect.lost_runs import watched_runs
        from inkstream.flows.under_prefect.settings import reach_server
        from inkstream.flows.under_prefect.watching import watching

        reach_server()
        from inkstream.flows.under_prefect.ingest_s3_events import ingest_s3_events

        with watched_runs(self._config.stream), watching(self._observers, self._workers) as watch:
            ingest_s3_events(config=self._config, once=once, max_batches=max_batches)
        return watch.summaries[-1]

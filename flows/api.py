"""`Stream`: the Python face of the main job."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from inkstream.flows.loop.drain import StreamRun
from inkstream.flows.loop.planners import FailedPages, NewFiles, OtherPipeline, Plan, Planner
from inkstream.flows.loop.workers import Workers
from inkstream.flows.under_prefect.settings import PrefectMode, runs_under_prefect
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
        self._prefect = runs_under_prefect(prefect)
        self._workers = Workers(config)
        self._query: StreamingQuery | None = None

    def run(self, limit: int | None = None) -> Summary:
        """Drains what is new, in capped batches, and returns what was committed.

        Args:
            limit: Take so many new files at most, in the order of the source; the others wait for a later run.

        Raises:
            ConfigError: If the configuration cannot be run.
            EnvironmentFault: If the machine lacks something; it says what and the remedy.
            TransientError: If the work should be tried again later.
        """
        return self.do(NewFiles(limit))

    def retry(
        self, *, kinds: Sequence[FailureKind] = (), paths: Sequence[str] = (), overrides: Sequence[str] = ()
    ) -> Summary:
        """Reads the pages that failed again, each as it was read before, and replaces their rows.

        Args:
            kinds: Which kinds of failure; all when empty.
            paths: Which files, as paths, URLs, file names or globs; all when empty.
            overrides: `a.b=value` strings on top of what the pages were read with.

        Raises:
            InkstreamError: As `run` does.
        """
        return self.do(FailedPages(tuple(kinds), tuple(paths), tuple(overrides)))

    def reprocess(self, *, paths: Sequence[str] = ()) -> Summary:
        """Reads files again whose rows another pipeline made than this configuration's, and replaces their rows.

        Args:
            paths: Which files, as paths, URLs, file names or globs; all when empty.

        Raises:
            InkstreamError: As `run` does.
        """
        return self.do(OtherPipeline(tuple(paths)))

    def listen(self, *, once: bool = False, max_batches: int | None = None) -> Summary:
        """Follows the S3 events of `events.queue`, with a listing of the source every `events.backfill_interval`.

        Args:
            once: End as soon as the queue has no message to give; else go on until interrupted.
            max_batches: End when so many batches are committed, or a few more that were announced together.

        Raises:
            InkstreamError: As `run` does; without `once`, a fault of the moment is tried again and not raised.
        """
        try:
            if self._prefect:
                return self._listen_under_prefect(once, max_batches)
            from inkstream.flows.loop.listening import Listener

            listener = Listener(self._config, self.do, self._workers.client, self._observers)
            return listener.listen(once=once, max_batches=max_batches)
        except BaseException:
            self._workers.close()
            raise

    def plan(self, planner: Planner) -> Plan:
        """Finds out what there would be to do, and does nothing of it. Raises as `run` does."""
        return StreamRun(self._config, self._workers, planner, observers=self._observers).plan()

    def table(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Reads the stream's rows, newest batch first and pages in order. `.to_pandas()` makes a data frame of them.

        Args:
            columns: Which columns; all when not given.

        Raises:
            ConfigError: If nothing was committed yet.
            EnvironmentFault: If the sink cannot be read from here.
            TransientError: If the store does not answer.
        """
        from inkstream.tasks.sinks.opening import open_sink

        return open_sink(self._config.sink).rows(stream=self._config.stream, columns=columns)

    def start(self, *, every: str | timedelta = "1s", available_now: bool = False) -> StreamingQuery:
        """Runs the stream in the background, again and again, until it is stopped.

        Args:
            every: How often to look for what is new; a late look comes at once. As `30s`, `5m`, or a timedelta.
            available_now: Take what there is, in capped batches, and end.

        Raises:
            ConfigError: If it is running already, or `every` is no duration.
        """
        from inkstream.flows.query import StreamingQuery
        from inkstream.tasks.config import parse_duration

        if self._query is not None and self._query.is_active:
            raise ConfigError(f"the stream {self._config.stream} was started already; stop that query first")
        pause = parse_duration(every) if isinstance(every, str) else every
        self._query = StreamingQuery(self._config, self.do, pause=pause.total_seconds(), once=available_now)
        return self._query

    def close(self) -> None:
        """Stops what was started, and the workers."""
        if self._query is not None:
            self._query.stop()
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def do(self, planner: Planner, *, observers: Iterable[Observer] = (), run_id: str | None = None) -> Summary:
        """Does what a planner decides. Raises as `run` does.

        Args:
            planner: What there is to do.
            observers: Called with each event besides the stream's own.
            run_id: What progress reports say of this run; a new one when not given.
        """
        everybody = (*self._observers, *observers)
        try:
            if self._prefect:
                return self._run_under_prefect(planner, everybody, run_id)
            return StreamRun(self._config, self._workers, planner, observers=everybody, run_id=run_id).drain()
        except BaseException:
            self._workers.close()
            raise

    def _run_under_prefect(self, planner: Planner, observers: Sequence[Observer], run_id: str | None) -> Summary:
        from inkstream.flows.under_prefect.lost_runs import watched_runs
        from inkstream.flows.under_prefect.settings import PrefectGoneError, reach_server
        from inkstream.flows.under_prefect.watching import watching

        reach_server()
        from httpx import HTTPError  # what Prefect's client raises

        with watched_runs(self._config.stream), watching(observers, self._workers, run_id) as watch:
            try:
                _run_flow(self._config, planner)
            except HTTPError as error:
                raise PrefectGoneError(
                    f"the Prefect API stopped answering ({error or type(error).__name__}); what is committed stays. "
                    "Run again when it does, or with --prefect off"
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


def _run_flow(config: StreamConfig, planner: Planner) -> None:
    from inkstream.flows.under_prefect.ocr_stream import ocr_stream
    from inkstream.flows.under_prefect.retry_and_reprocess import reprocess, retry

    if isinstance(planner, FailedPages):
        kinds = [FailureKind(kind) for kind in planner.kinds]
        retry(config=config, kinds=kinds, paths=list(planner.paths), overrides=list(planner.overrides))
    elif isinstance(planner, OtherPipeline):
        reprocess(config=config, paths=list(planner.paths))
    else:
        ocr_stream(config=config, limit=planner.limit if isinstance(planner, NewFiles) else None)

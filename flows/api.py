"""`Stream`: the Python face of the main job."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Literal, Self

from flows.drain import StreamRun, Workers
from flows.prefect_settings import api_configured
from tasks.config import StreamConfig
from tasks.progress import Observer, Summary

PrefectMode = Literal["auto", "on", "off"]


class Stream:
    """A stream that can be run again and again; the cluster is kept between runs.

    Args:
        config: Source, trigger, pipeline, sink, execution.
        observers: Called with each event (see `tasks.progress`).
        prefect: `auto` runs under Prefect when a Prefect API is configured; `on` always (with Prefect's embedded
            server when none is configured); `off` never.

    Example:
        ```python
        from flows import Stream, build_config

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
        self._prefect = prefect == "on" or (prefect == "auto" and api_configured())
        self._workers = Workers(config)

    def run(self) -> Summary:
        """Drains what is new, in capped batches, and returns what was committed.

        Raises:
            ConfigError: If the configuration cannot be run.
            EnvironmentFault: If the machine lacks something; it says what and the remedy.
            TransientError: If the work should be tried again later.
        """
        try:
            return self._run_under_prefect() if self._prefect else self._run_directly()
        except BaseException:
            self._workers.close()
            raise

    def close(self) -> None:
        """Stops the workers."""
        self._workers.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run_directly(self) -> Summary:
        return StreamRun(self._config, self._workers, observers=self._observers).drain()

    def _run_under_prefect(self) -> Summary:
        from flows.prefect_settings import reach_server
        from flows.stream import ocr_stream
        from flows.watching import watching

        reach_server()
        with watching(self._observers, self._workers) as watch:
            ocr_stream(self._config)
        return watch.summaries[-1]

"""The Dask workers of a run."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from inkstream.ocr_core.pipeline.environment import engine_versions
from inkstream.ocr_core.pipeline.fingerprint import pipeline_id
from inkstream.tasks.config import StreamConfig

if TYPE_CHECKING:
    from distributed import Client


class Workers:
    """A Dask client that is opened when first needed and kept until closed.

    Args:
        config: Says where the workers are and what they must be able to run.
    """

    def __init__(self, config: StreamConfig) -> None:
        self._config = config
        self._stack = ExitStack()
        self._client: Client | None = None

    def client(self) -> Client:
        """Return the client, and open the cluster on the first call."""
        if self._client is None or self._client.status != "running":
            from inkstream.tasks.work.cluster import open_cluster

            self.close()
            self._client = self._stack.enter_context(
                open_cluster(self._config.execution, self._config.pipeline.canonical())
            )
        return self._client

    def made_by(self, config: StreamConfig) -> frozenset[str]:
        """Return the `pipeline_id` that new rows would have; several if workers have different versions."""
        if self._config.execution.scheduler is None:  # local workers have this process's versions
            return frozenset({pipeline_id(config.pipeline, engine_versions(config.pipeline))})
        from inkstream.tasks.work.cluster import check_workers

        execution = self._config.execution
        return check_workers(
            self.client(), config.pipeline.canonical(), execution.recognize_resources, execution.worker_wait_seconds
        )

    def close(self) -> None:
        """Close the client, and the cluster if it was started here."""
        self._client = None
        self._stack.close()

"""Commit rows as a run does."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from inkstream.tasks.commit.loop import commit_batch
from inkstream.tasks.commit.operations import Committed
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch
from inkstream.tasks.sinks.opening import open_sink


def commit_to(
    config: StreamConfig, batch: Batch, spool: ResultSpool, complete: Sequence[int], *, replace: Collection[int] = ()
) -> Committed:
    """Commit a batch's complete files to the sink of a configuration; those in `replace` replace earlier rows."""
    runner = open_sink(config.sink).runner(batch, spool, frozenset(replace))
    return commit_batch(runner, config, batch, spool, complete)

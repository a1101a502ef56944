"""Works on sinks in tests: commits rows as a run does, and opens sinks as a run would."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.tasks.commit.loop import commit_batch
from inkstream.tasks.commit.operations import Committed
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch
from inkstream.tasks.queries.export import Export
from inkstream.tasks.queries.status import SinkStatus, sink_status
from inkstream.tasks.queries.stored_configs import stored_config
from inkstream.tasks.queries.stored_pages import stored_pages
from inkstream.tasks.sinks.delta.ledger import LedgerProjection
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable
from inkstream.tasks.sinks.opening import open_existing, open_sink
from inkstream.tasks.sinks.versioned import VersionedSink, require_versions
from inkstream.tasks.source import discovery
from inkstream.tasks.source.discovery import Discovery


def commit_to(
    config: StreamConfig, batch: Batch, spool: ResultSpool, complete: Sequence[int], *, replace: Collection[int] = ()
) -> Committed:
    """Commit a batch's complete files to the sink of a configuration; those in `replace` replace earlier rows."""
    runner = open_sink(config.sink).runner(batch, spool, frozenset(replace))
    return commit_batch(runner, batch, spool, complete, mode=config.sink.mode, selected=config.pipeline.selected)


def discover(config: StreamConfig) -> Discovery:
    """Compare the source with the sink of a configuration."""
    return discovery.discover(config, open_sink(config.sink))


def versioned(sink_url: str) -> VersionedSink:
    """Open the sink at a URL; it must keep versions."""
    return require_versions(open_existing(sink_url))


def status_of(sink_url: str, stream: str | None = None, batches: int = 5) -> SinkStatus:
    """Return the status of the sink at a URL."""
    return sink_status(sink_url, open_existing(sink_url), stream, batches)


def export_of(
    sink_url: str, output_url: str, export_format: ExportFormat, *, version: int | None = None, **chosen: Any
) -> Export:
    """Return an export of the only stream of the sink at a URL."""
    pages = stored_pages(open_existing(sink_url), version)
    return Export(pages, stored_config(sink_url), output_url, export_format, **chosen)


def project_ledger(config: StreamConfig) -> int:
    """Bring the Delta ledger of a configuration's sink up to date."""
    return LedgerProjection(PagesTable(config.sink.url), LedgerTable(config.sink.url)).run(config.stream)

"""Maintenance of a Delta sink: merging small files, and removing files that no readable version needs.

No step changes a row. Every step opens its own handle, because the commit loop's handle must not be moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyarrow.parquet as pq
from deltalake import DeltaTable

from inkstream.ocr_core.errors import InkstreamError
from inkstream.tasks.config import SinkOptions
from inkstream.tasks.paths import split_url
from inkstream.tasks.progress import Compacted
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable, SinkTable
from inkstream.tasks.sinks.versioned import Removed
from inkstream.tasks.stores import explain_store_error, filesystem
from inkstream.tasks.stores.exclusive import objects_below


def try_to_compact(sink: SinkOptions) -> Iterator[Compacted]:
    """Compact the tables of a sink between two batches. Problems are reported, never raised."""
    for table in (PagesTable(sink.url, durable=sink.durable), LedgerTable(sink.url, durable=sink.durable)):
        try:
            yield compact(table, sink.target_file_mb)
        except InkstreamError as error:
            yield Compacted(table.url, problem=str(error))


def vacuum(table: SinkTable, retention: timedelta, *, dry_run: bool) -> Removed:
    """Remove data files that no version within the retention needs, including those that a crash left behind.

    Args:
        table: The table.
        retention: How long to keep a file that was replaced, or that was never part of a version.
        dry_run: Only count.

    Raises:
        TransientError: If the store fails.
        EnvironmentFault: If the table cannot be read or written from here.
    """
    handle = table.open()
    table.make_durable(handle.version())  # before a file is removed that it replaced
    expired = _expired(handle, retention)
    sizes = {name.rpartition("/")[2]: info.get("size") or 0 for name, info in objects_below(table.url)}
    if expired and not dry_run:
        _vacuum(table.open(), retention, dry_run=False)
    return Removed(len(expired), sum(sizes.get(name.rpartition("/")[2], 0) for name in expired))


def _expired(handle: DeltaTable, retention: timedelta) -> list[str]:
    return _vacuum(handle, retention, dry_run=True)


def _vacuum(handle: DeltaTable, retention: timedelta, *, dry_run: bool) -> list[str]:
    hours = -(-retention // timedelta(hours=1))
    try:
        return handle.vacuum(hours, dry_run=dry_run, enforce_retention_duration=False, full=True)
    except TRANSIENT_DELTA as error:
        raise explain_delta_error(error, f"cannot vacuum {handle.table_uri}") from error


def overlays_in_use(pages: PagesTable, retention: timedelta) -> Iterator[str]:
    """Yield the `overlay_path`s in all data files except those that a vacuum with this retention would remove.

    An overlay counts as in use while such a file exists, whichever versions need the file.

    Args:
        pages: The table.
        retention: How long to keep a file that is no longer needed.

    Raises:
        TransientError: If the store fails, or a data file cannot be read.
        EnvironmentFault: If the table cannot be read from here.
    """
    expired = {name.rpartition("/")[2] for name in _expired(pages.open(), retention)}
    protocol, _ = split_url(pages.url)
    store = filesystem(protocol)
    for key, _ in objects_below(pages.url):
        if not key.endswith(".parquet") or "/_delta_log/" in key or key.rpartition("/")[2] in expired:
            continue
        try:
            with store.open(key, "rb") as data, pq.ParquetFile(data) as file:
                if "overlay_path" not in file.schema_arrow.names:
                    continue
                for batch in file.iter_batches(columns=["overlay_path"]):
                    yield from filter(None, batch.column(0).unique().to_pylist())
        except FileNotFoundError:
            continue
        except Exception as error:
            raise explain_store_error(error, f"cannot read {key}, so no overlay is removed") from error

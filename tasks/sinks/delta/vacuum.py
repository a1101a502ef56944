"""Upkeep of a Delta sink: fewer and larger files, checkpoints, and nothing kept that no readable version needs.

Nothing here changes a row, and every step opens a handle of its own: the commit loop's handle must not be moved.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow.parquet as pq
from deltalake import DeltaTable

from inkstream.ocr_core.errors import InkstreamError
from inkstream.tasks.config import SinkOptions
from inkstream.tasks.paths import split_url
from inkstream.tasks.progress import Compacted
from inkstream.tasks.sinks.delta.compaction import compact
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error
from inkstream.tasks.sinks.delta.tables import LedgerTable, PagesTable, SinkTable
from inkstream.tasks.stores import explain_store_error, filesystem

_OVERLAY = re.compile(r"overlays/[0-9a-f]{2}/(\.?[0-9a-f]{40}\.\w+(?:\.[0-9a-f]{32}\.partial)?)$")


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, or would be.

    Attributes:
        files: How many files.
        size: Their bytes.
    """

    files: int
    size: int


def is_due(sink: SinkOptions, batch_id: int) -> bool:
    """Tells whether the stream compacts after this commit. Of several drivers only one made it."""
    return sink.compact_every is not None and (batch_id + 1) % sink.compact_every == 0


def tables_of(sink_url: str) -> list[SinkTable]:
    """Returns the tables of a sink that are there.

    Raises:
        ConfigError: If there is no `pages` table.
    """
    pages, ledger = PagesTable(sink_url), LedgerTable(sink_url)
    pages.open()
    return [pages, ledger] if ledger.exists() else [pages]


def try_to_compact(sink: SinkOptions) -> Iterator[Compacted]:
    """Compacts the tables of a sink between two batches. What goes wrong is told, never raised."""
    for table in (PagesTable(sink.url), LedgerTable(sink.url)):
        try:
            yield compact(table, sink.target_file_mb)
        except InkstreamError as error:
            yield Compacted(table.url, problem=str(error))


def vacuum(table: SinkTable, retention: timedelta, *, dry_run: bool) -> Removed:
    """Removes data files that no version within the retention needs, those that a crash left among them.

    Args:
        table: The table.
        retention: How long a file that was rewritten away, or that no version ever named, is kept.
        dry_run: Count only.

    Raises:
        TransientError: If the store fails.
        EnvironmentFault: If the table cannot be read or written from here.
    """
    expired = _expired(table.open(), retention)
    sizes = {name.rpartition("/")[2]: info.get("size") or 0 for name, info in _listing(table.url)}
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


def vacuum_overlays(sink_url: str, retention: timedelta, *, dry_run: bool) -> Removed:
    """Removes overlay pictures that no readable version of `pages` names.

    An overlay is written before the commit that names it, so a young one is never taken. What a data file names counts
    as long as the file is there, whichever versions need it.

    Args:
        sink_url: The sink's folder or prefix.
        retention: Overlays younger than this are kept.
        dry_run: Count only.

    Raises:
        TransientError: If the store fails, or a data file cannot be read: then none is removed.
        EnvironmentFault: If the sink cannot be read or written from here.
    """
    pages = PagesTable(sink_url)
    before = datetime.now(UTC) - retention
    old = _old_overlays(sink_url, before)
    if old:
        for name in _referenced(pages, _expired(pages.open(), retention)):
            old.pop(name, None)
    if old:  # a batch may have written one anew meanwhile
        still = _old_overlays(sink_url, before)
        old = {name: still[name] for name in old if name in still}
    if old and not dry_run:
        protocol, _ = split_url(sink_url)
        try:
            filesystem(protocol).rm([key for key, _ in old.values()])
        except Exception as error:
            raise explain_store_error(error, f"cannot remove overlays of {sink_url}") from error
    return Removed(len(old), sum(size for _, size in old.values()))


def _old_overlays(sink_url: str, before: datetime) -> dict[str, tuple[str, int]]:
    """Key and size of each overlay that was last written before a time, by file name."""
    old = {}
    for key, info in _listing(f"{sink_url}/overlays"):
        match = _OVERLAY.search(key)
        if match and _written(info) < before:
            old[match[1]] = (key, int(info.get("size") or 0))
    return old


def _referenced(pages: PagesTable, expired: Iterable[str]) -> Iterator[str]:
    """File names of all overlays that the data files name, except the expired ones, also where a sink was moved."""
    gone = {name.rpartition("/")[2] for name in expired}
    protocol, _ = split_url(pages.url)
    store = filesystem(protocol)
    for key, _ in _listing(pages.url):
        if not key.endswith(".parquet") or "/_delta_log/" in key or key.rpartition("/")[2] in gone:
            continue
        try:
            with store.open(key, "rb") as data, pq.ParquetFile(data) as file:
                if "overlay_path" not in file.schema_arrow.names:
                    continue
                for batch in file.iter_batches(columns=["overlay_path"]):
                    yield from (p.rpartition("/")[2] for p in batch.column(0).unique().to_pylist() if p)
        except FileNotFoundError:
            continue
        except Exception as error:
            raise explain_store_error(error, f"cannot read {key}, so no overlay is removed") from error


def _listing(url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object below a URL; nothing where there is nothing."""
    protocol, root = split_url(url)
    try:
        found = filesystem(protocol).find(root, detail=True)
    except FileNotFoundError:
        return
    except Exception as error:
        raise explain_store_error(error, f"cannot list {url}") from error
    yield from found.items()


def _written(info: dict[str, Any]) -> datetime:
    """When an object was last written; now where its store does not say, so that it counts as young."""
    times = (info.get(name) for name in ("LastModified", "last_modified", "mtime"))
    time = next((time for time in times if time), None)
    if isinstance(time, datetime):
        return time if time.tzinfo else time.replace(tzinfo=UTC)
    return datetime.fromtimestamp(float(time), UTC) if time else datetime.now(UTC)

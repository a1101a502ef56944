"""Merging small data files of a Delta table into larger ones, without changing a row.

deltalake's own `optimize` is not used: if two processes merge the same files at the same time, version 1.6 accepts
both commits, and every row appears twice (docs/decisions/0005). Here the commit is one conditional creation of the
log's next version, made only if every merged file is still part of the version before it.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError, TransientError
from inkstream.tasks.paths import split_url
from inkstream.tasks.progress import Compacted
from inkstream.tasks.rows import aligned
from inkstream.tasks.sinks.delta.engine import explain_delta_error
from inkstream.tasks.sinks.delta.tables import SinkTable
from inkstream.tasks.stores import create_whole, explain_store_error, filesystem

_MAX_SELECTIONS = 3
_MAX_VERSIONS = 20
_ROW_GROUP_BYTES = 32 << 20
_BATCH_ROWS = 1024
_OUR_NAME = re.compile(r"[\w.-]+\.parquet")


@dataclass(frozen=True, slots=True)
class Small:
    """A file to merge: its name in the log, and its size in bytes."""

    name: str
    size: int


@dataclass(slots=True)
class _Merged:
    """A new merged file, with the statistics for the log."""

    name: str
    size: int = 0
    rows: int = 0
    least: dict[str, Any] = field(default_factory=dict)
    greatest: dict[str, Any] = field(default_factory=dict)
    nulls: dict[str, int] = field(default_factory=dict)

    def take_in(self, rows: pa.Table, columns: Iterable[str]) -> None:
        self.rows += rows.num_rows
        for name in columns:
            column = rows.column(name)
            self.nulls[name] = self.nulls.get(name, 0) + column.null_count
            ends = pc.min_max(column).as_py()
            if ends["min"] is not None:
                self.least[name] = min(self.least.get(name, ends["min"]), ends["min"])
                self.greatest[name] = max(self.greatest.get(name, ends["max"]), ends["max"])

    def statistics(self) -> str:
        ends = {"minValues": self.least, "maxValues": self.greatest}
        values = {name: {key: _json_value(value) for key, value in end.items()} for name, end in ends.items()}
        return json.dumps({"numRecords": self.rows, **values, "nullCount": self.nulls})


def small_files(handle: DeltaTable, target_bytes: int) -> list[list[Small]]:
    """Return the files to merge, in groups of about `target_bytes`; each group becomes one file."""
    require_mergeable(handle)
    actions = pa.table(handle.get_add_actions()).select(["path", "size_bytes", "modification_time"]).to_pylist()
    groups: list[list[Small]] = []
    room = 0
    for action in sorted(actions, key=lambda action: (action["modification_time"], action["path"])):
        small = Small(action["path"], int(action["size_bytes"]))
        if small.size >= target_bytes or not _OUR_NAME.fullmatch(small.name):
            continue
        if not groups or room < small.size:
            groups.append([])
            room = target_bytes
        groups[-1].append(small)
        room -= small.size
    return [group for group in groups if len(group) > 1]


def require_mergeable(handle: DeltaTable) -> None:
    """Check that a table's protocol demands no more of a writer than Inkstream's own tables do.

    Raises:
        EnvironmentFault: If it does.
    """
    protocol = handle.protocol()
    if protocol.min_reader_version > 1 or protocol.min_writer_version > 2:
        raise EnvironmentFault(
            f"{handle.table_uri} has Delta features that this compaction does not support",
            "compact the table with the engine that enabled them, and set sink.compact_every to null",
        )


def compact(table: SinkTable, target_mb: int) -> Compacted:
    """Merge a table's small files and write a checkpoint of its log.

    Args:
        table: The table.
        target_mb: Size in MiB from which a file is not merged.

    Raises:
        TransientError: If other processes keep rewriting the same files, or the store fails.
        EnvironmentFault: If the table cannot be read or written from here.
    """
    for _ in range(_MAX_SELECTIONS):
        handle = table.open()
        groups = small_files(handle, target_mb << 20)
        merged = [_merge(table, handle, group) for group in groups]
        removed = [small for group in groups for small in group]
        if not merged or _commit(table, handle, removed, merged):
            _checkpoint(table)
            return Compacted(table.url, len(removed), len(merged))
    raise TransientError(f"{table.url}: other processes keep rewriting the files to merge; nothing was merged")


def _merge(table: SinkTable, handle: DeltaTable, group: list[Small]) -> _Merged:
    """Write the rows of a group of files into a new file, which readers see only after the commit."""
    protocol, root = split_url(table.url)
    store = filesystem(protocol)
    schema = pa.schema(handle.schema().to_arrow())
    indexed = [name for name in table.indexed if name in schema.names]
    merged = _Merged(f"part-00000-{uuid.uuid4()}-c000.zstd.parquet")
    key = f"{root}/{merged.name}"
    try:
        with (
            store.open(key, "wb") as out,
            pq.ParquetWriter(out, schema, compression="zstd", write_statistics=indexed) as writer,
        ):
            for rows in _row_groups(store, root, group, schema):
                writer.write_table(rows, row_group_size=max(1, rows.num_rows))
                merged.take_in(rows, indexed)
        merged.size = int(store.info(key)["size"])
    except Exception as error:
        raise explain_store_error(error, f"cannot merge files of {table.url}") from error
    return merged


def _row_groups(store: Any, root: str, group: list[Small], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for small in group:
        with store.open(f"{root}/{small.name}", "rb") as data, pq.ParquetFile(data) as file:
            for batch in file.iter_batches(batch_size=_BATCH_ROWS):
                waiting.append(aligned(pa.Table.from_batches([batch]), schema))
                if sum(rows.nbytes for rows in waiting) >= _ROW_GROUP_BYTES:
                    yield pa.concat_tables(waiting)
                    waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _commit(table: SinkTable, handle: DeltaTable, removed: list[Small], merged: list[_Merged]) -> bool:
    """Create the log's next version. Return False, changing nothing, if one of the files was rewritten."""
    protocol, root = split_url(table.url)
    ours = {file.name for file in merged}
    gone = {small.name for small in removed}
    for _ in range(_MAX_VERSIONS):
        entry = _log_entry(handle.version(), removed, merged)
        try:
            create_whole(protocol, f"{root}/_delta_log/{handle.version() + 1:020}.json", entry)
        except FileExistsError:
            handle = table.open()
            require_mergeable(handle)
            there = set(pa.table(handle.get_add_actions()).column("path").to_pylist())
            if ours <= there:  # the commit had landed, but its reply was lost
                return True
            if not gone <= there:
                _discard(protocol, [f"{root}/{name}" for name in ours])
                return False
        else:
            return True
    raise TransientError(f"{table.url}: other commits come too fast to merge files; the table is unchanged")


def _log_entry(version: int, removed: list[Small], merged: list[_Merged]) -> bytes:
    now = int(time.time() * 1000)
    info = {
        "timestamp": now,
        "operation": "OPTIMIZE",
        "operationParameters": {"predicate": "[]"},
        "readVersion": version,
        "engineInfo": "inkstream",
        "operationMetrics": {"numFilesAdded": len(merged), "numFilesRemoved": len(removed)},
    }
    actions: list[dict[str, Any]] = [{"commitInfo": info}]
    for small in removed:
        remove = {"path": small.name, "dataChange": False, "deletionTimestamp": now, "size": small.size}
        actions.append({"remove": {**remove, "extendedFileMetadata": True, "partitionValues": {}}})
    for file in merged:
        add = {"path": file.name, "partitionValues": {}, "size": file.size, "modificationTime": now}
        actions.append({"add": {**add, "dataChange": False, "stats": file.statistics()}})
    return "".join(json.dumps(action) + "\n" for action in actions).encode()


def _json_value(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


def _checkpoint(table: SinkTable) -> None:
    """Write a checkpoint of the latest version, and remove the entries that have expired once it is durable."""
    handle = table.open()
    try:
        handle.create_checkpoint()
        table.make_durable(handle.version())
        handle.cleanup_metadata()
    except InkstreamError:
        raise
    except Exception as error:  # the library also raises bare Exceptions
        raise explain_delta_error(error, f"cannot write a checkpoint of {table.url}") from error


def _discard(protocol: str, keys: list[str]) -> None:
    try:
        filesystem(protocol).rm(keys)
    except Exception as error:
        raise explain_store_error(error, "cannot remove merged files that were not committed") from error

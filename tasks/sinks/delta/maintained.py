"""Measuring and maintaining a Delta table. See `inkstream.tasks.sinks.versioned.MaintainedTable`."""

from __future__ import annotations

import re
from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc

from inkstream.tasks.paths import split_url
from inkstream.tasks.progress import Compacted
from inkstream.tasks.sinks.delta.compaction import compact, small_files
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error
from inkstream.tasks.sinks.delta.tables import SinkTable
from inkstream.tasks.sinks.delta.vacuum import vacuum
from inkstream.tasks.sinks.versioned import Removed, TableSize
from inkstream.tasks.stores import explain_store_error, open_store

_LOG = re.compile(r"_delta_log/(\d{20})\.(json|checkpoint)")


class MaintainedDeltaTable:
    """A table of the sink. Each method opens its own handle.

    Args:
        table: The table.
    """

    def __init__(self, table: SinkTable) -> None:
        self._table = table
        self.name = table.url.rpartition("/")[2]
        self.url = table.url

    def version(self) -> int:
        """Return the latest version."""
        return self._table.open().version()

    def size(self) -> TableSize:
        """Return the size of the latest version, according to its log."""
        handle = self._table.open()
        try:
            actions = pa.table(handle.get_add_actions(flatten=True))
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, f"cannot read the log of {self.url}") from error
        size, rows = (int(pc.sum(actions[name]).as_py() or 0) for name in ("size_bytes", "num_records"))
        return TableSize(handle.version(), actions.num_rows, size, rows)

    def oldest_version(self) -> int:
        """Find the oldest version whose data files all exist, by bisection.

        A vacuum removes the files that were replaced longest ago, so unreadable versions are older than readable ones.
        """
        protocol, root = split_url(self.url)
        try:
            found = open_store(protocol, root).names(root)
        except Exception as error:
            raise explain_store_error(error, f"cannot list {self.url}") from error
        there = {path.rpartition("/")[2] for path in found if path.endswith(".parquet")}
        log = [(int(match[1]), match[2]) for path in found if (match := _LOG.search(path))]
        begins = [version for version, kind in log if kind == "checkpoint" or version == 0]
        latest = self.version()
        gone, readable = min(begins, default=latest) - 1, latest
        while readable - gone > 1:
            middle = (gone + readable) // 2
            is_readable = self._table.snapshot(middle).files() <= there
            gone, readable = (gone, middle) if is_readable else (middle, readable)
        return readable

    def mergeable(self, target_mb: int) -> Compacted:
        """Return how many small files `compact` would merge."""
        groups = small_files(self._table.open(), target_mb << 20)
        return Compacted(self.url, sum(map(len, groups)), len(groups))

    def compact(self, target_mb: int) -> Compacted:
        """Merge small files and write a checkpoint of the log."""
        return compact(self._table, target_mb)

    def vacuum(self, retention: timedelta, *, dry_run: bool) -> Removed:
        """Remove data files that no version within the retention needs."""
        return vacuum(self._table, retention, dry_run=dry_run)

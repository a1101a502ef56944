"""Rows that stay as they are when other pages of their file are read again."""

from __future__ import annotations

import pyarrow as pa

from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.model import Batch
from inkstream.tasks.rows import STAMPS
from inkstream.tasks.sinks.sink import Sink
from inkstream.tasks.sinks.sql import sql_text, version_predicate
from inkstream.tasks.sinks.versioned import require_versions
from inkstream.tasks.work.planning import page_runs

_CHUNK_ROWS = 500


def keep_other_pages(sink: Sink, batch: Batch, index: int, spool: ResultSpool) -> int:
    """Add to the spool the rows of a file's pages that were not read again.

    They come from the snapshot that the batch was planned from. If they have been replaced since, the commit drops the
    file.

    Args:
        sink: The sink.
        batch: The planned batch.
        index: Index of the file in the batch.
        spool: The spool that has the file's other rows.

    Returns:
        Number of rows that were kept.

    Raises:
        ConfigError: If the snapshot was vacuumed.
        TransientError: If the snapshot cannot be read at the moment.
    """
    if batch.redo is None or index not in batch.redo.again:
        return 0
    snapshot = require_versions(sink).snapshot(batch.redo.version)
    columns = [name for name in snapshot.columns if name not in STAMPS]
    read_again = ", ".join(map(str, batch.redo.again[index].pages))
    where = (
        f"stream = {sql_text(batch.stream)} AND {version_predicate(batch.files[index].key)} "
        f"AND pagenum NOT IN ({read_again})"
    )
    kept = 0
    for rows in snapshot.scan(columns, where, _CHUNK_ROWS):
        kept += rows.num_rows
        _add_runs(rows.sort_by("pagenum"), index, spool)
    return kept


def _add_runs(rows: pa.Table, index: int, spool: ResultSpool) -> None:
    """Add rows in rising order of pages, each run without gaps separately, so that the file is read back in order."""
    start = 0
    for run in page_runs(rows.column("pagenum").to_pylist(), rows.num_rows):
        part = rows.slice(start, len(run)).combine_chunks()
        spool.add(index, part.to_batches()[0])
        start += len(run)

"""Rows that stay as they are when other pages of their file are read again."""

from __future__ import annotations

import pyarrow as pa

from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.model import Batch
from inkstream.tasks.sinks.delta.engine import scan_chunks, sql_text
from inkstream.tasks.sinks.delta.tables import PagesTable, version_predicate
from inkstream.tasks.work.planning import page_runs

_STAMPED_BY_THE_COMMIT = ("batch_id", "timestamp")
_CHUNK_ROWS = 500


def keep_other_pages(sink_url: str, batch: Batch, index: int, spool: ResultSpool) -> int:
    """Puts the rows of a file's pages that were not read again beside those that were.

    They come from the very snapshot that the batch was planned from. If they have been replaced since, the commit
    drops the file.

    Args:
        sink_url: Where the table is.
        batch: What was planned.
        index: The file.
        spool: Where its other rows are.

    Returns:
        How many rows were kept.

    Raises:
        TransientError: If that snapshot can no longer be read.
    """
    if batch.redo is None or index not in batch.redo.again:
        return 0
    table = PagesTable(sink_url).open(batch.redo.version)
    columns = [name for name in table.schema().to_arrow().names if name not in _STAMPED_BY_THE_COMMIT]
    read_again = ", ".join(map(str, batch.redo.again[index].pages))
    where = (
        f"stream = {sql_text(batch.stream)} AND {version_predicate(batch.files[index].key)} "
        f"AND pagenum NOT IN ({read_again})"
    )
    kept = 0
    for rows in scan_chunks(table, columns, where, _CHUNK_ROWS):
        kept += rows.num_rows
        _add_runs(rows.sort_by("pagenum"), index, spool)
    return kept


def _add_runs(rows: pa.Table, index: int, spool: ResultSpool) -> None:
    """Adds rows in rising order of pages, each run without gaps by itself: so the file comes back in order."""
    start = 0
    for run in page_runs(rows.column("pagenum").to_pylist(), rows.num_rows):
        part = rows.slice(start, len(run)).combine_chunks()
        spool.add(index, part.to_batches()[0])
        start += len(run)

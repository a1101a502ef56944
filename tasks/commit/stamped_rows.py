"""Rows on their way from the spool into a commit, with the commit's columns added and in the table's schema."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa

from inkstream.ocr_core.errors import InkstreamError
from inkstream.tasks.commit.operations import Append
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.rows import PAGES_SCHEMA, STAMPS, aligned


class CommitRows:
    """The rows of one append, read from the spool while they are written.

    Args:
        spool: The rows.
        operation: The append, which has the files and the `batch_id`.
        schema: The columns to write; those that the rows lack are null.
    """

    def __init__(self, spool: ResultSpool, operation: Append, schema: pa.Schema) -> None:
        self._spool = spool
        self._operation = operation
        self._now = datetime.now(UTC)
        self.schema = schema
        self.error: InkstreamError | None = None

    def reader(self) -> pa.RecordBatchReader:
        """Return a reader of `batches`. It hides an error that they raise, so `error` keeps it."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the rows, files in order.

        Raises:
            InkstreamError: If the spool cannot be read.
        """
        try:
            for index in self._operation.files:
                for rows in self._spool.read(index):
                    yield self._stamped(rows)
        except InkstreamError as error:
            self.error = error
            raise

    def _stamped(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        names = [name for name in rows.schema.names if name not in STAMPS]
        values = {"batch_id": self._operation.batch_id, "timestamp": self._now}
        stamps = [pa.array([values[name]] * rows.num_rows, PAGES_SCHEMA.field(name).type) for name in STAMPS]
        stamped = pa.RecordBatch.from_arrays([*map(rows.column, names), *stamps], [*names, *STAMPS])
        return aligned(stamped, self.schema)

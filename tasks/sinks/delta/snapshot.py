"""One version of a Delta table. See `inkstream.tasks.sinks.versioned.TableSnapshot`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from inkstream.ocr_core.errors import ConfigError, TransientError
from inkstream.tasks.paths import join, split_url
from inkstream.tasks.rows import PAGES_SCHEMA, aligned
from inkstream.tasks.sinks.delta.engine import TRANSIENT_DELTA, explain_delta_error, scan, scan_chunks
from inkstream.tasks.sinks.versioned import TableSnapshot
from inkstream.tasks.stores import explain_store_error, filesystem

_BATCH_ROWS = 4096


class DeltaSnapshot:
    """A handle that stays at its version.

    Args:
        url: Where the table is.
        handle: The handle; the caller must not write with it afterwards.
        of_the_past: Whether an earlier version was requested, so that a missing file means that it was vacuumed.
    """

    def __init__(self, url: str, handle: DeltaTable, *, of_the_past: bool = False) -> None:
        self.url = url
        self._handle = handle
        self._of_the_past = of_the_past

    @property
    def version(self) -> int:
        """The table's version."""
        return self._handle.version()

    @property
    def columns(self) -> list[str]:
        """The names of the table's columns."""
        return list(self._handle.schema().to_arrow().names)

    def transaction_version(self, stream: str) -> int:
        """Return the stream's transaction version."""
        return transaction_version(self._handle, stream)

    def query(self, sql: str) -> pa.Table:
        """Return the result of a query over the rows."""
        try:
            return scan(self._handle, sql)
        except TransientError as error:
            raise self._explained(error) from error

    def scan(self, columns: Sequence[str], where: str, chunk_rows: int) -> Iterator[pa.Table]:
        """Yield some columns of the rows that match a condition. Files whose statistics exclude them are not read."""
        try:
            yield from scan_chunks(self._handle, list(columns), where, chunk_rows)
        except TransientError as error:
            raise self._explained(error) from error

    def rows_beyond(self, other: TableSnapshot, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the rows of the data files that are not part of the other version."""
        schema = pa.schema([PAGES_SCHEMA.field(name) for name in columns])
        protocol, root = split_url(self.url)
        store = filesystem(protocol)
        for name in sorted(self.files() - (other.files() if isinstance(other, DeltaSnapshot) else set())):
            try:
                with store.open(join(root, name), "rb") as data, pq.ParquetFile(data) as file:
                    there = [column for column in columns if column in file.schema_arrow.names]
                    for batch in file.iter_batches(_BATCH_ROWS, columns=there):
                        yield aligned(pa.Table.from_batches([batch]), schema)
            except FileNotFoundError:
                raise self._vacuumed() from None
            except Exception as error:
                raise explain_store_error(error, f"cannot read {name} of {self.url}") from error

    def files(self) -> set[str]:
        """Return the names of the data files, relative to the table."""
        try:
            return {uri.rpartition("/")[2] for uri in self._handle.file_uris()}
        except TRANSIENT_DELTA as error:
            raise explain_delta_error(error, f"cannot read the log of {self.url}") from error

    def _explained(self, error: TransientError) -> ConfigError | TransientError:
        return self._vacuumed() if self._of_the_past and "not found" in str(error).lower() else error

    def _vacuumed(self) -> ConfigError:
        return ConfigError(
            f"version {self.version} of {self.url} can no longer be read: `inkstream maintain` keeps the files of "
            "earlier versions only for its --retention; `inkstream status` shows the oldest readable version"
        )


def transaction_version(table: DeltaTable, stream: str) -> int:
    """Return the stream's transaction version in this handle's snapshot; -1 if nothing was committed.

    Raises:
        EnvironmentFault: If the table may no longer be read.
        TransientError: If the store does not answer, or the table is gone.
    """
    try:
        version = table.transaction_version(stream)  # reads the log
    except TRANSIENT_DELTA as error:
        raise explain_delta_error(error, f"cannot read the log of {table.table_uri}") from error
    return -1 if version is None else version

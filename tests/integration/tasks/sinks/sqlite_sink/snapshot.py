"""One version of a table whose rows are in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from inkstream.tasks.sinks.sql import sql_name
from inkstream.tasks.sinks.versioned import TableSnapshot


@dataclass(frozen=True)
class ArrowSnapshot:
    """Rows as an Arrow table, and each stream's transaction version. See `TableSnapshot`."""

    url: str
    version: int
    rows: pa.Table
    transactions: Mapping[str, int]

    @property
    def columns(self) -> list[str]:
        return list(self.rows.schema.names)

    def transaction_version(self, stream: str) -> int:
        return self.transactions.get(stream, -1)

    def query(self, sql: str) -> pa.Table:
        found: pa.Table
        with duckdb.connect() as database:
            database.register("this", self.rows)
            found = database.sql(sql).to_arrow_table()
        times = {field.name for field in found.schema if pa.types.is_timestamp(field.type)}  # in the local zone
        schema = [
            field.with_type(pa.timestamp("us", "UTC")) if field.name in times else field for field in found.schema
        ]
        return found.cast(pa.schema(schema))

    def scan(self, columns: Sequence[str], where: str, chunk_rows: int) -> Iterator[pa.Table]:
        names = ", ".join(map(sql_name, columns))
        found = self.query(f"SELECT {names} FROM this WHERE {where}")
        for start in range(0, found.num_rows, chunk_rows):
            yield found.slice(start, chunk_rows)

    def rows_beyond(self, other: TableSnapshot, columns: Sequence[str]) -> Iterator[pa.Table]:
        if other.version != self.version:
            yield self.rows.select(list(columns))

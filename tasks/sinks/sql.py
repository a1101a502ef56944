"""SQL over the tables of a sink: literals, conditions, and the queries that every table format must answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from inkstream.tasks.model import FileKey
from inkstream.tasks.sinks.versioned import TableSnapshot

if TYPE_CHECKING:
    import pyarrow as pa

_PARTLY_READ = """
SELECT path, etag, length FROM this WHERE stream = {stream}
GROUP BY path, etag, length HAVING count(pagenum) < max(total_pages)
"""
_SINCE = """
SELECT path, etag, length, max(modification_time) AS modified FROM this
WHERE stream = {stream} AND batch_id > {after} GROUP BY path, etag, length
"""


def sql_text(value: str) -> str:
    """Return a string literal."""
    return "'" + value.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """Return the quoted name of a column."""
    return '"' + name.replace('"', '""') + '"'


def any_of(conditions: Iterable[str]) -> str:
    """Join conditions with OR, as a balanced tree: a chain of hundreds overflows the parser's stack."""
    parts = list(conditions)
    while len(parts) > 1:
        parts = ["(" + " OR ".join(parts[i : i + 8]) + ")" for i in range(0, len(parts), 8)]
    return parts[0] if parts else "false"


def version_predicate(key: FileKey) -> str:
    """Return the condition for the rows of one file version, in any stream."""
    path, etag, size = key
    return f"(path = {sql_text(path)} AND etag = {sql_text(etag)} AND length = {size})"


def newest_rows(
    snapshot: TableSnapshot,
    *,
    stream: str | None = None,
    limit: int | None = None,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Return rows, newest batch first and pages in order. Raises the errors of `TableSnapshot.scan`.

    Args:
        snapshot: The pages.
        stream: The stream whose rows to return; all if not given.
        limit: Maximum number of rows.
        columns: The columns to return; all if not given.
    """
    names = ", ".join(map(sql_name, columns or snapshot.columns))
    where = "" if stream is None else f"WHERE stream = {sql_text(stream)}"
    at_most = "" if limit is None else f"LIMIT {limit}"
    return snapshot.query(
        f'SELECT {names} FROM this {where} ORDER BY "timestamp" DESC, stream, path, pagenum {at_most}'  # noqa: S608
    )


def partly_read(snapshot: TableSnapshot, stream: str) -> pa.Table:
    """Return the file versions that lack rows for some pages: `path, etag, length`."""
    return snapshot.query(_PARTLY_READ.format(stream=sql_text(stream)))


def committed_since(snapshot: TableSnapshot, stream: str, after: int) -> frozenset[FileKey]:
    """Return the file versions of a stream that have rows with a `batch_id` above `after`."""
    return frozenset(modified_since(snapshot, stream, after))


def modified_since(snapshot: TableSnapshot, stream: str, after: int) -> dict[FileKey, datetime]:
    """Return the file versions of `committed_since`, each with its modification time."""
    rows = snapshot.query(_SINCE.format(stream=sql_text(stream), after=int(after)))
    return {(row["path"], row["etag"], row["length"]): row["modified"] for row in rows.to_pylist()}

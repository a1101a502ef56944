"""Which file versions of the table are to be made again, or forgotten: from one pinned snapshot of `pages`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from deltalake import DeltaTable

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.model import FileKey, FileVersion, PagesAgain
from inkstream.tasks.queries.path_patterns import matching
from inkstream.tasks.rows import FORGOTTEN
from inkstream.tasks.sinks.delta.engine import scan, sql_text
from inkstream.tasks.sinks.delta.tables import transaction_version

_VERSIONS = """
SELECT path, etag, length,
       max(modification_time) AS modified,
       max(total_pages) AS total,
       count(*) AS row_count,
       count(DISTINCT pagenum) AS pages,
       max(content_hash) AS content_hash,
       max(pipeline_id) AS pipeline_id
FROM this
WHERE stream = {stream}
GROUP BY path, etag, length
HAVING {having}
"""
_FAILED = """
SELECT path, etag, length, pagenum, exception_kind, pipeline_id
FROM this
WHERE stream = {stream} AND {failed}
"""
_NOT_FORGOTTEN = f"count(*) FILTER (WHERE exception_kind = {sql_text(FORGOTTEN)}) = 0"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file version of the table.

    Attributes:
        file: The version.
        rows: How many rows it has.
        again: The pages that are read again, if not all.
        kinds: Failures that are tried again, counted by their kind.
        pipeline_id: What made the rows that failed, else one that made its rows; None where none says so.
    """

    file: FileVersion
    rows: int
    again: PagesAgain | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    pipeline_id: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen, and from where.

    Attributes:
        files: Oldest first.
        planned_at: The stream's transaction version in the snapshot.
        version: Table version of the snapshot.
        looked_at: File versions of the stream that have text or failures.
    """

    files: list[Chosen]
    planned_at: int
    version: int
    looked_at: int


def choose_failed(table: DeltaTable, stream: str, kinds: Collection[str] = (), paths: Sequence[str] = ()) -> Selection:
    """Chooses the files with failed pages, and of each only those pages where its others can be kept.

    A file whose pages could not be counted is read whole, and so is one whose rows are not one for each page.

    Args:
        table: An open snapshot.
        stream: The stream.
        kinds: Which kinds of failure; all when empty.
        paths: Which files (see `matching`); all when empty.
    """
    failed = f"exception_kind IS NOT NULL AND exception_kind <> {sql_text(FORGOTTEN)}"
    if kinds:
        failed = f"exception_kind IN ({', '.join(sql_text(kind) for kind in kinds)})"
    pages: dict[FileKey, list[dict[str, Any]]] = {}
    for row in scan(table, _FAILED.format(stream=sql_text(stream), failed=failed)).to_pylist():
        pages.setdefault((row["path"], row["etag"], row["length"]), []).append(row)
    everything = _versions(table, stream, _NOT_FORGOTTEN)
    wanted = matching((path for path, _, _ in pages), paths)
    chosen = [
        _with_failures(_chosen(row), row, pages[key])
        for row in everything
        if (key := (row["path"], row["etag"], row["length"])) in pages and row["path"] in wanted
    ]
    return _selection(table, stream, chosen, len(everything))


def choose_made_otherwise(
    table: DeltaTable, stream: str, made_by: Collection[str], paths: Sequence[str] = ()
) -> Selection:
    """Chooses the files with rows that something else made than what is named.

    Args:
        table: An open snapshot.
        stream: The stream.
        made_by: `pipeline_id`s that are as wanted.
        paths: Which files (see `matching`); all when empty.
    """
    as_wanted = ", ".join(sql_text(one) for one in made_by)
    otherwise = f"count(*) FILTER (WHERE pipeline_id IS NULL OR pipeline_id NOT IN ({as_wanted})) > 0"
    rows = _versions(table, stream, f"{otherwise} AND {_NOT_FORGOTTEN}")
    looked_at = len(_versions(table, stream, _NOT_FORGOTTEN))
    wanted = matching((row["path"] for row in rows), paths)
    return _selection(table, stream, [_chosen(row) for row in rows if row["path"] in wanted], looked_at)


def choose_remembered(table: DeltaTable, stream: str, paths: Sequence[str]) -> Selection:
    """Chooses the files that have rows and were not forgotten.

    Args:
        table: An open snapshot.
        stream: The stream.
        paths: Which files (see `matching`).
    """
    rows = _versions(table, stream, _NOT_FORGOTTEN)
    wanted = matching((row["path"] for row in rows), paths)
    return _selection(table, stream, [_chosen(row) for row in rows if row["path"] in wanted], len(rows))


def forgotten_paths(table: DeltaTable, stream: str, paths: Sequence[str]) -> set[str]:
    """Returns those of the files that have been forgotten.

    Args:
        table: An open snapshot.
        stream: The stream.
        paths: Which files (see `matching`).
    """
    rows = scan(
        table,
        "SELECT DISTINCT path FROM this "  # noqa: S608 - quoted
        f"WHERE stream = {sql_text(stream)} AND exception_kind = {sql_text(FORGOTTEN)}",
    )
    return matching(rows.column("path").to_pylist(), paths)


def streams_of(table: DeltaTable) -> list[str]:
    """Returns the names of the streams that have rows."""
    found: list[str] = scan(table, "SELECT DISTINCT stream FROM this").column("stream").to_pylist()
    return sorted(found)


def require_stream(table: DeltaTable, stream: str) -> None:
    """Refuses a stream that has no rows.

    Raises:
        ConfigError: Naming those that have.
    """
    if transaction_version(table, stream) < 0:
        there_are = ", ".join(streams_of(table)) or "none"
        raise ConfigError(f"{table.table_uri} has no rows of a stream {stream!r}; there are: {there_are}")


def _versions(table: DeltaTable, stream: str, having: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scan(table, _VERSIONS.format(stream=sql_text(stream), having=having)).to_pylist()
    return found


def _chosen(row: dict[str, Any]) -> Chosen:
    file = FileVersion(row["path"], row["etag"], row["length"], row["modified"])
    return Chosen(file, row["row_count"], pipeline_id=row["pipeline_id"])


def _with_failures(chosen: Chosen, row: dict[str, Any], failed: list[dict[str, Any]]) -> Chosen:
    made_by = [page["pipeline_id"] for page in failed if page["pipeline_id"] is not None]
    whole = row["total"] is not None and row["total"] == row["pages"] == row["row_count"]
    again = None
    if whole and len(failed) < row["total"]:
        pages = tuple(sorted(page["pagenum"] for page in failed))
        again = PagesAgain(row["total"], pages, row["content_hash"])
    kinds = Counter(page["exception_kind"] for page in failed)
    return Chosen(chosen.file, chosen.rows, again, kinds, max(made_by, default=chosen.pipeline_id))


def _selection(table: DeltaTable, stream: str, files: list[Chosen], looked_at: int) -> Selection:
    require_stream(table, stream)
    files.sort(key=lambda one: (one.file.modified, one.file.path))
    return Selection(files, transaction_version(table, stream), table.version(), looked_at)

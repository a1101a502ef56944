"""Choosing file versions of the table to read again or to forget, from one snapshot of the pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from inkstream.ocr_core.errors import ConfigError
from inkstream.tasks.model import FileKey, FileVersion, PagesAgain
from inkstream.tasks.queries.path_patterns import matching
from inkstream.tasks.rows import FORGOTTEN
from inkstream.tasks.sinks.sql import sql_text
from inkstream.tasks.sinks.versioned import TableSnapshot

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
class ChosenFile:
    """A file version of the table that was chosen.

    Attributes:
        file: The version.
        rows: Number of rows that it has.
        again: The pages to read again; None for all.
        kinds: Number of failures to try again, by kind.
        pipeline_id: The pipeline that made the failed rows, else one that made other rows; None if no row names one.
        content_hash: SHA-256 of the bytes that the rows were read from; None if no row names it.
    """

    file: FileVersion
    rows: int
    again: PagesAgain | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    pipeline_id: str | None = None
    content_hash: str | None = None


@dataclass(frozen=True, slots=True)
class ChosenFiles:
    """The files that were chosen, and the snapshot they were chosen from.

    Attributes:
        files: The files, oldest first.
        planned_at: The stream's transaction version in the snapshot.
        version: Table version of the snapshot.
        looked_at: Number of file versions of the stream that were not forgotten.
    """

    files: list[ChosenFile]
    planned_at: int
    version: int
    looked_at: int


def choose_failed(
    pages: TableSnapshot, stream: str, kinds: Collection[str] = (), paths: Sequence[str] = ()
) -> ChosenFiles:
    """Choose the files with failed pages, and only those pages if the file's other rows can be kept.

    A whole file is chosen if its pages could not be counted, or if it does not have exactly one row for each page.

    Args:
        pages: A snapshot of the pages.
        stream: The stream.
        kinds: The kinds of failure; all if empty.
        paths: Patterns of the files (see `matching`); all if empty.
    """
    failed = f"exception_kind IS NOT NULL AND exception_kind <> {sql_text(FORGOTTEN)}"
    if kinds:
        failed = f"exception_kind IN ({', '.join(sql_text(kind) for kind in kinds)})"
    failures: dict[FileKey, list[dict[str, Any]]] = {}
    for row in pages.query(_FAILED.format(stream=sql_text(stream), failed=failed)).to_pylist():
        failures.setdefault((row["path"], row["etag"], row["length"]), []).append(row)
    everything = _versions(pages, stream, _NOT_FORGOTTEN)
    wanted = matching((path for path, _, _ in failures), paths)
    chosen = [
        _with_failures(_chosen(row), row, failures[key])
        for row in everything
        if (key := (row["path"], row["etag"], row["length"])) in failures and row["path"] in wanted
    ]
    return _selection(pages, stream, chosen, len(everything))


def choose_made_otherwise(
    pages: TableSnapshot, stream: str, made_by: Collection[str], paths: Sequence[str] = ()
) -> ChosenFiles:
    """Choose the files with rows that other pipelines made.

    Args:
        pages: A snapshot of the pages.
        stream: The stream.
        made_by: The `pipeline_id`s whose rows are up to date.
        paths: Patterns of the files (see `matching`); all if empty.
    """
    as_wanted = ", ".join(map(sql_text, made_by))
    otherwise = f"count(*) FILTER (WHERE pipeline_id IS NULL OR pipeline_id NOT IN ({as_wanted})) > 0"
    rows = _versions(pages, stream, f"{otherwise} AND {_NOT_FORGOTTEN}")
    looked_at = len(_versions(pages, stream, _NOT_FORGOTTEN))
    wanted = matching((row["path"] for row in rows), paths)
    return _selection(pages, stream, [_chosen(row) for row in rows if row["path"] in wanted], looked_at)


def choose_remembered(pages: TableSnapshot, stream: str, paths: Sequence[str]) -> ChosenFiles:
    """Choose the files that have rows and were not forgotten.

    Args:
        pages: A snapshot of the pages.
        stream: The stream.
        paths: Patterns of the files (see `matching`).
    """
    rows = _versions(pages, stream, _NOT_FORGOTTEN)
    wanted = matching((row["path"] for row in rows), paths)
    return _selection(pages, stream, [_chosen(row) for row in rows if row["path"] in wanted], len(rows))


def forgotten_paths(pages: TableSnapshot, stream: str, paths: Sequence[str]) -> set[str]:
    """Return the paths of files that were forgotten.

    Args:
        pages: A snapshot of the pages.
        stream: The stream.
        paths: Patterns of the files (see `matching`).
    """
    rows = pages.query(
        "SELECT DISTINCT path FROM this "  # noqa: S608 - quoted
        f"WHERE stream = {sql_text(stream)} AND exception_kind = {sql_text(FORGOTTEN)}",
    )
    return matching(rows.column("path").to_pylist(), paths)


def streams_of(pages: TableSnapshot) -> list[str]:
    """Return the names of the streams that have rows."""
    found: list[str] = pages.query("SELECT DISTINCT stream FROM this").column("stream").to_pylist()
    return sorted(found)


def require_stream(pages: TableSnapshot, stream: str) -> None:
    """Check that a stream has rows.

    Raises:
        ConfigError: If it has none. The message lists the streams that have rows.
    """
    if pages.transaction_version(stream) < 0:
        there_are = ", ".join(streams_of(pages)) or "none"
        raise ConfigError(f"{pages.url} has no rows of a stream {stream!r}; there are: {there_are}")


def _versions(pages: TableSnapshot, stream: str, having: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pages.query(_VERSIONS.format(stream=sql_text(stream), having=having)).to_pylist()
    return found


def _chosen(row: dict[str, Any]) -> ChosenFile:
    file = FileVersion(row["path"], row["etag"], row["length"], row["modified"])
    return ChosenFile(file, row["row_count"], pipeline_id=row["pipeline_id"], content_hash=row["content_hash"])


def _with_failures(chosen: ChosenFile, row: dict[str, Any], failed: list[dict[str, Any]]) -> ChosenFile:
    made_by = [page["pipeline_id"] for page in failed if page["pipeline_id"] is not None]
    whole = row["total"] is not None and row["total"] == row["pages"] == row["row_count"]
    again = None
    if whole and len(failed) < row["total"]:
        pages = tuple(sorted(page["pagenum"] for page in failed))
        again = PagesAgain(row["total"], pages, row["content_hash"])
    kinds = Counter(page["exception_kind"] for page in failed)
    made = max(made_by, default=chosen.pipeline_id)
    return replace(chosen, again=again, kinds=kinds, pipeline_id=made)


def _selection(pages: TableSnapshot, stream: str, files: list[ChosenFile], looked_at: int) -> ChosenFiles:
    require_stream(pages, stream)
    files.sort(key=lambda choice: (choice.file.modified, choice.file.path))
    return ChosenFiles(files, pages.transaction_version(stream), pages.version, looked_at)

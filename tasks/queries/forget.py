"""Forgetting documents: their text is removed from the table, but the fact that they were read remains.

One row that says so remains for each file version (docs/decisions/0008). The commit loop writes it in place of the
file's rows, so that no driver that is reading the file at the same time can bring them back.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from inkstream.ocr_core.errors import InkstreamError, TransientError
from inkstream.tasks.commit.loop import commit_batch
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.model import KEY_COLUMNS, Batch, FileKey, FileVersion, Redo
from inkstream.tasks.queries.selection import (
    ChosenFiles,
    choose_remembered,
    forgotten_paths,
    require_stream,
    streams_of,
)
from inkstream.tasks.rows import FORGOTTEN, ROWS_SCHEMA
from inkstream.tasks.sinks.overlays import overlay_keys, remove_overlays
from inkstream.tasks.sinks.sql import any_of, sql_text, version_predicate
from inkstream.tasks.sinks.versioned import TableSnapshot, VersionedSink

_MAX_ATTEMPTS = 10
_FILES_PER_COMMIT = 200
_CHUNK_ROWS = 250_000

FilesToForget = Mapping[str, ChosenFiles]
"""The files to forget, by stream."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten.

    Attributes:
        files: File versions, by stream.
        overlays: Number of overlay pictures that were removed.
        version: The first table version without the text.
        held_from: The oldest readable version that still has text of these files; None if there is none.
    """

    files: Mapping[str, Sequence[FileVersion]]
    overlays: int
    version: int
    held_from: int | None


def find_files(sink: VersionedSink, paths: Sequence[str], stream: str | None = None) -> tuple[FilesToForget, int]:
    """Find the file versions in the table that match some paths.

    Args:
        sink: The sink.
        paths: Patterns of the files (see `inkstream.tasks.queries.path_patterns`).
        stream: The stream; all streams if not given.

    Returns:
        The file versions that have rows, and the number of files that were forgotten before.

    Raises:
        ConfigError: If there is no table, or it has no rows of the stream.
    """
    pages = sink.snapshot()
    if stream is not None:
        require_stream(pages, stream)
    streams = [stream] if stream is not None else streams_of(pages)
    found = {name: choose_remembered(pages, name, paths) for name in streams}
    before = sum(len(forgotten_paths(pages, name, paths)) for name in streams)
    return {name: chosen for name, chosen in found.items() if chosen.files}, before


def forget(sink: VersionedSink, found: FilesToForget) -> Forgotten:
    """Remove the text and the overlays of file versions from a sink. The files stay known, and are not read again.

    Overlays are removed first, so that a run that is killed before the commit can be repeated and still finds the
    files. They are removed once more after the commit, because a driver that lost the race may have written one again.

    Args:
        sink: The sink.
        found: The files, from `find_files`.

    Raises:
        TransientError: If other drivers keep replacing the rows, or a store fails. Run it again.
        EnvironmentFault: If the sink cannot be written from here.
    """
    wanted = {(stream, chosen.file.key) for stream, files in found.items() for chosen in files.files}
    removed: set[str] = set()
    pictures: set[str] = set()
    version = 0
    left = found
    for _ in range(_MAX_ATTEMPTS):
        if not left:
            break
        pictures |= _overlays_of_these_alone(sink.snapshot(), left)
        removed |= remove_overlays(sink.sink_url, pictures)
        for stream, chosen in left.items():
            version = max(version, _replace_rows(sink, stream, chosen))
        left = _still_there(sink.snapshot(), wanted)
    if left:
        raise TransientError(
            "other drivers keep replacing the rows to forget, so some of the text may remain; try again later"
        )
    pictures -= _overlays_of_others(sink.snapshot(), pictures, set())
    removed |= remove_overlays(sink.sink_url, pictures)
    files = {stream: [chosen.file for chosen in chosen_files.files] for stream, chosen_files in found.items()}
    return Forgotten(files, len(removed), version, _held_from(sink, version, files))


def _still_there(pages: TableSnapshot, wanted: set[tuple[str, FileKey]]) -> dict[str, ChosenFiles]:
    """Return the files that still have text because another driver replaced rows between the plan and the commit."""
    left = {}
    for stream in {stream for stream, _ in wanted}:
        there = choose_remembered(pages, stream, sorted({key[0] for name, key in wanted if name == stream}))
        files = [chosen for chosen in there.files if (stream, chosen.file.key) in wanted]
        if files:
            left[stream] = replace(there, files=files)
    return left


def _replace_rows(sink: VersionedSink, stream: str, chosen: ChosenFiles) -> int:
    """Replace each file's rows by its one remaining row, unless others have replaced them in the meantime.

    Each file version gets its own remaining row, even in a sink where runs replace all rows of a path.

    Returns:
        The table version after the last commit.
    """
    version = 0
    for start in range(0, len(chosen.files), _FILES_PER_COMMIT):
        files = tuple(choice.file for choice in chosen.files[start : start + _FILES_PER_COMMIT])
        batch = Batch(stream, uuid.uuid4().hex, files, chosen.planned_at, Redo(chosen.version))
        everything = range(len(files))
        with ResultSpool() as spool:
            for index, file in enumerate(files):
                spool.add(index, _what_stays(file, stream))
            runner = sink.runner(batch, spool, frozenset(everything))
            version = commit_batch(runner, batch, spool, everything).version
    sink.project_ledger(stream)
    return version


def _what_stays(file: FileVersion, stream: str) -> pa.RecordBatch:
    row = {
        "path": file.path,
        "etag": file.etag,
        "length": file.size,
        "modification_time": file.modified,
        "stream": stream,
        "exception": "forgotten on request",
        "exception_kind": FORGOTTEN,
        "regions": [],
    }
    return pa.RecordBatch.from_pylist([row], schema=ROWS_SCHEMA)


def _conditions(files: Mapping[str, Sequence[FileVersion]]) -> Iterator[str]:
    for stream, versions in files.items():
        for start in range(0, len(versions), _FILES_PER_COMMIT):
            some = any_of(version_predicate(file.key) for file in versions[start : start + _FILES_PER_COMMIT])
            yield f"stream = {sql_text(stream)} AND {some}"


def _overlays_of_these_alone(pages: TableSnapshot, found: FilesToForget) -> set[str]:
    """Return the keys of the overlays that only rows of these files name."""
    files = {stream: [chosen.file for chosen in chosen_files.files] for stream, chosen_files in found.items()}
    keys: set[str] = set()
    for condition in _conditions(files):
        sql = f"SELECT DISTINCT overlay_path FROM this WHERE overlay_path IS NOT NULL AND {condition}"  # noqa: S608
        keys |= overlay_keys(pages.query(sql).column("overlay_path").to_pylist())
    return keys - _overlays_of_others(pages, keys, {(stream, file.key) for stream in files for file in files[stream]})


def _overlays_of_others(pages: TableSnapshot, keys: set[str], except_by: set[tuple[str, FileKey]]) -> set[str]:
    """Return the overlays that are named by rows of files other than those in `except_by`."""
    found: set[str] = set()
    if not keys:
        return found
    for rows in pages.scan(["stream", *KEY_COLUMNS, "overlay_path"], "overlay_path IS NOT NULL", _CHUNK_ROWS):
        for row in rows.to_pylist():
            if (row["stream"], (row["path"], row["etag"], row["length"])) not in except_by:
                found |= keys & overlay_keys([row["overlay_path"]])
    return found


def _held_from(sink: VersionedSink, version: int, files: Mapping[str, Sequence[FileVersion]]) -> int | None:
    """Find the oldest readable version that has text of these files, by bisection.

    Bisection works because rows stay in all versions until they are forgotten, and a vacuum makes old versions
    unreadable before newer ones.
    """
    low, high = 0, version
    while low < high:
        middle = (low + high) // 2
        if _has_text(sink, middle, files):
            high = middle
        else:
            low = middle + 1
    return low if low < version else None


def _has_text(sink: VersionedSink, version: int, files: Mapping[str, Sequence[FileVersion]]) -> bool:
    try:
        pages = sink.snapshot(version)
        for condition in _conditions(files):
            having_text = f"text IS NOT NULL AND {condition}"
            if pages.query(f"SELECT 1 FROM this WHERE {having_text} LIMIT 1").num_rows:  # noqa: S608
                return True
    except InkstreamError:
        return False  # vacuumed, or no longer in the log
    return False

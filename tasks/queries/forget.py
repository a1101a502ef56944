"""Forgetting documents: their text leaves the table, and the fact that they were read stays.

What stays is one row a file version, which says so (docs/decisions/0008). It is written by the commit loop, in place of
the file's rows, so that no driver that read the file meanwhile can bring them back.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from deltalake import DeltaTable

from inkstream.ocr_core.errors import InkstreamError, TransientError
from inkstream.tasks.commit.loop import commit_batch
from inkstream.tasks.commit.spool import ResultSpool
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import Batch, FileKey, FileVersion, Redo
from inkstream.tasks.paths import join, split_url
from inkstream.tasks.queries.selection import Selection, choose_remembered, forgotten_paths, require_stream, streams_of
from inkstream.tasks.queries.stored_configs import stored_config
from inkstream.tasks.rows import FORGOTTEN, ROWS_SCHEMA
from inkstream.tasks.sinks.delta.engine import any_of, scan, scan_chunks, sql_text
from inkstream.tasks.sinks.delta.tables import PagesTable, version_predicate
from inkstream.tasks.sinks.opening import open_sink
from inkstream.tasks.stores import explain_store_error, filesystem

_EACH_VERSION = "sink.mode=append"
"""Also where a run replaces all rows of a path: here each version's rows are replaced by what stays of that version."""
_MAX_ATTEMPTS = 10
_FILES_PER_COMMIT = 200
_CHUNK_ROWS = 250_000
_OVERLAY = re.compile(r"overlays/[0-9a-f]{2}/[0-9a-f]{40}\.\w+$")

Found = Mapping[str, Selection]
"""What is to be forgotten, by stream."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten.

    Attributes:
        files: File versions, by stream.
        overlays: Overlay pictures that were removed.
        version: The table version from which the text is gone.
        held_from: The oldest version that can still be read and has text of these files; None where none has.
    """

    files: Mapping[str, Sequence[FileVersion]]
    overlays: int
    version: int
    held_from: int | None


def find_files(sink_url: str, paths: Sequence[str], stream: str | None = None) -> tuple[Found, int]:
    """Finds what the table has of some files.

    Args:
        sink_url: The sink.
        paths: Which files (see `inkstream.tasks.queries.path_patterns`).
        stream: Only of this stream; of all when not given.

    Returns:
        The file versions that have rows, and how many were forgotten before.

    Raises:
        ConfigError: If there is no table, or it has no such stream.
    """
    table = PagesTable(sink_url).open()
    if stream is not None:
        require_stream(table, stream)
    streams = [stream] if stream is not None else streams_of(table)
    found = {name: choose_remembered(table, name, paths) for name in streams}
    before = sum(len(forgotten_paths(table, name, paths)) for name in streams)
    return {name: selection for name, selection in found.items() if selection.files}, before


def forget(sink_url: str, found: Found) -> Forgotten:
    """Takes the text and the overlays of file versions out of a sink. They stay known, and are not read again.

    Overlays go first: when this dies before the commit, it is run again. They go once more after it, as a driver that
    lost to this commit may have written one anew.

    Args:
        sink_url: The sink.
        found: From `find_files`.

    Raises:
        TransientError: If others keep replacing the rows, or a store fails; run it again.
        EnvironmentFault: If the sink cannot be written from here.
    """
    pages = PagesTable(sink_url)
    wanted = {(stream, one.file.key) for stream, selection in found.items() for one in selection.files}
    configs = {stream: stored_config(sink_url, stream, [_EACH_VERSION]) for stream in found}
    removed: set[str] = set()
    pictures: set[str] = set()
    version = 0
    left = found
    for _ in range(_MAX_ATTEMPTS):
        if not left:
            break
        pictures |= _overlays_of_these_alone(pages.open(), left)
        removed |= _remove(sink_url, pictures)
        for stream, selection in left.items():
            version = max(version, _replace_rows(configs[stream], selection))
        left = _still_there(pages.open(), wanted)
    if left:
        raise TransientError("other drivers keep replacing the rows that were to be forgotten: try again later")
    pictures -= _referenced(pages.open(), pictures, set())
    removed |= _remove(sink_url, pictures)
    files = {stream: [one.file for one in selection.files] for stream, selection in found.items()}
    return Forgotten(files, len(removed), version, _held_from(pages, version, files))


def _still_there(table: DeltaTable, wanted: set[tuple[str, FileKey]]) -> dict[str, Selection]:
    """What is left when another driver has replaced rows between the plan and the commit."""
    left = {}
    for stream in {stream for stream, _ in wanted}:
        there = choose_remembered(table, stream, sorted({key[0] for name, key in wanted if name == stream}))
        files = [one for one in there.files if (stream, one.file.key) in wanted]
        if files:
            left[stream] = Selection(files, there.planned_at, there.version, there.looked_at)
    return left


def _replace_rows(config: StreamConfig, selection: Selection) -> int:
    """Puts one row that says so in place of each file's rows, unless others have replaced them meanwhile.

    Returns:
        The table version after the last commit.
    """
    version, sink = 0, open_sink(config.sink)
    for start in range(0, len(selection.files), _FILES_PER_COMMIT):
        files = tuple(one.file for one in selection.files[start : start + _FILES_PER_COMMIT])
        batch = Batch(config.stream, uuid.uuid4().hex, files, selection.planned_at, Redo(selection.version))
        everything = range(len(files))
        with ResultSpool() as spool:
            for index, file in enumerate(files):
                spool.add(index, _what_stays(file, config.stream))
            runner = sink.runner(batch, spool, frozenset(everything))
            version = commit_batch(runner, config, batch, spool, everything).version
    sink.project_ledger(config)
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


def _overlays_of_these_alone(table: DeltaTable, found: Found) -> set[str]:
    """Keys of the overlays that rows of these files name, and no other row does."""
    files = {stream: [one.file for one in selection.files] for stream, selection in found.items()}
    keys: set[str] = set()
    for condition in _conditions(files):
        sql = f"SELECT DISTINCT overlay_path FROM this WHERE overlay_path IS NOT NULL AND {condition}"  # noqa: S608
        keys.update(_keys(scan(table, sql).column("overlay_path").to_pylist()))
    return keys - _referenced(table, keys, {(stream, file.key) for stream in files for file in files[stream]})


def _referenced(table: DeltaTable, keys: set[str], except_by: set[tuple[str, FileKey]]) -> set[str]:
    """Which of the overlays are named by rows of files other than those in `except_by`."""
    columns = ["stream", "path", "etag", "length", "overlay_path"]
    found: set[str] = set()
    if not keys:
        return found
    for rows in scan_chunks(table, columns, "overlay_path IS NOT NULL", _CHUNK_ROWS):
        for row in rows.to_pylist():
            if (row["stream"], (row["path"], row["etag"], row["length"])) not in except_by:
                found.update(keys.intersection(_keys([row["overlay_path"]])))
    return found


def _keys(overlay_paths: Iterable[str]) -> Iterator[str]:
    """Where overlays are in the sink, also when the sink was moved since."""
    for path in overlay_paths:
        match = _OVERLAY.search(path)
        if match:
            yield match[0]


def _remove(sink_url: str, keys: Iterable[str]) -> set[str]:
    """Removes overlays, and returns those that were there."""
    protocol, root = split_url(sink_url)
    store = filesystem(protocol)
    removed = set()
    for key in keys:
        try:
            if store.exists(join(root, key)):
                store.rm_file(join(root, key))
                removed.add(key)
        except FileNotFoundError:
            continue
        except Exception as error:
            raise explain_store_error(error, f"cannot remove {key} of {sink_url}") from error
    return removed


def _held_from(pages: PagesTable, version: int, files: Mapping[str, Sequence[FileVersion]]) -> int | None:
    """Finds the oldest readable version that has rows with these files' text.

    Once there, rows stay in all versions until they are forgotten, and a vacuum makes old versions unreadable before
    newer ones: so halving the versions finds it.
    """
    low, high = 0, version
    while low < high:
        middle = (low + high) // 2
        if _holds(pages, middle, files):
            high = middle
        else:
            low = middle + 1
    return low if low < version else None


def _holds(pages: PagesTable, version: int, files: Mapping[str, Sequence[FileVersion]]) -> bool:
    try:
        table = pages.open(version)
        for condition in _conditions(files):
            having_text = f"text IS NOT NULL AND {condition}"
            if scan(table, f"SELECT 1 FROM this WHERE {having_text} LIMIT 1").num_rows:  # noqa: S608
                return True
    except InkstreamError:
        return False  # vacuumed, or no longer in the log
    return False

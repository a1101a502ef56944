"""Recognizing files whose bytes did not change although their version did.

A file that was touched, restored from a backup, or listed by a share that now cuts times to seconds has a new etag and
the old bytes. A version with the bytes of the newest rows of its path gets no rows of its own. The version that the
rows belong to is its stand-in.

The sink's records say which bytes a version has. Nothing that another driver does can make such a record wrong. Whether
the version is done is decided again by each plan, from the pinned snapshot: it is, as long as the newest rows of its
path are of a version with these bytes. So losing the records costs time only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from inkstream.tasks.model import FileKey, FileVersion, KnownBytes
from inkstream.tasks.sinks.sink import Known

_RECORD = pa.schema(
    [
        ("path", pa.string()),
        ("etag", pa.string()),
        ("length", pa.int64()),
        ("modification_time", pa.timestamp("us", tz="UTC")),
        ("content_hash", pa.string()),
    ]
)
_COLUMNS = ("path", "etag", "length", "modification_time", "batch_id", "content_hash")


@dataclass(frozen=True, slots=True)
class TouchedFiles:
    """Versions without rows, compared with the newest rows of their paths.

    Attributes:
        known: By key, the stand-in of each version that is recorded to have the same bytes.
        possible: By path, what the bytes of the other versions have to be compared with. A version of another size, or
            with rows that do not name their bytes, is not in here.
    """

    known: Mapping[FileKey, FileVersion] = field(default_factory=dict)
    possible: Mapping[str, KnownBytes] = field(default_factory=dict)


def find_touched(snapshot: Known, files: Sequence[FileVersion]) -> TouchedFiles:
    """Find out which new versions may have the bytes of the newest rows of their paths.

    Args:
        snapshot: The snapshot that the files were compared with.
        files: File versions without rows, whose paths have rows of other versions.

    Raises:
        EnvironmentFault: If the sink cannot be read.
        TransientError: If its store does not answer.
    """
    if not files:
        return TouchedFiles()
    paths = {file.path for file in files}
    newest, forgotten = _newest(snapshot, paths)
    recorded = {
        (path, etag, length): content_hash
        for rows in snapshot.unchanged(paths)
        for path, etag, length, content_hash in _values(rows, ("path", "etag", "length", "content_hash"))
    }
    known: dict[FileKey, FileVersion] = {}
    possible: dict[str, KnownBytes] = {}
    for file in files:
        found = newest.get(file.path)
        if found is None or found.stand_in.size != file.size:
            continue
        if recorded.get(file.key) == found.content_hash:
            known[file.key] = found.stand_in
        elif file.path not in forgotten:
            possible[file.path] = found
    return TouchedFiles(known, possible)


def unchanged_versions(found: Iterable[tuple[FileVersion, KnownBytes | None]]) -> pa.Table:
    """Return the rows of `Sink.record_unchanged` for versions and the bytes that they turned out to have."""
    columns: dict[str, list[Any]] = {name: [] for name in _RECORD.names}
    for file, known in found:
        values = (*file.key, file.modified, known and known.content_hash)
        for column, value in zip(columns.values(), values, strict=True):
            column.append(value)
    return pa.table(columns, schema=_RECORD)


def _newest(snapshot: Known, paths: Collection[str]) -> tuple[dict[str, KnownBytes], set[str]]:
    """Return the version of each path with the newest rows, if its bytes are known, and the paths that were forgotten.

    The row that `forget` leaves names no bytes. The ledger still has them from the version's earlier rows.
    """
    batches: dict[str, int] = {}
    named: dict[str, int] = {}  # the newest batch whose rows name their bytes
    versions: dict[str, FileVersion] = {}
    hashes: dict[FileKey, str] = {}
    wanted = pa.array(paths, pa.string())
    for chunk in snapshot.rows(_COLUMNS, paths):
        rows = chunk.filter(pc.is_in(chunk.column("path"), value_set=wanted))
        distinct = rows.group_by(list(_COLUMNS)).aggregate([])
        for path, etag, length, modified, batch_id, content_hash in _values(distinct, _COLUMNS):
            if content_hash is not None:
                hashes[path, etag, length] = content_hash
                named[path] = max(batch_id, named.get(path, -1))
            if batch_id > batches.get(path, -1):
                batches[path], versions[path] = batch_id, FileVersion(path, etag, length, modified)
    newest = {
        path: KnownBytes(version, hashes[version.key]) for path, version in versions.items() if version.key in hashes
    }
    return newest, {path for path in newest if named[path] < batches[path]}


def _values(rows: pa.Table, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    return zip(*(rows.column(name).to_pylist() for name in columns), strict=True)

"""Finding new files: those of the source whose versions the sink does not know.

In mode `append` a file version is known if it has rows. In mode `upsert` a newer version replaces a path's rows, so a
file version is known if its path has rows of this version or of a newer one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import KEY_COLUMNS, FileKey, FileVersion, KnownBytes, Unsettled
from inkstream.tasks.paths import decode
from inkstream.tasks.sinks.sink import Known, Sink
from inkstream.tasks.skipped import Skipped, SkipReason
from inkstream.tasks.source.listing import list_files
from inkstream.tasks.source.unchanged import find_touched

_UTC = pa.timestamp("us", tz="UTC")

Flags: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Discovery:
    """The result of comparing the source with the sink.

    Attributes:
        files: New file versions, in processing order.
        planned_at: The stream's transaction version in the snapshot they were compared with.
        listed: Number of file versions that were looked at.
        known_files: The file versions among them that are done.
        superseded: Number of done ones that have no rows because the table has a newer version of their path.
        replacing: Paths of new file versions that have rows of other versions, which the commit removes.
        unsettled: By URL, announced objects that have to wait.
        skipped: Counts of the files that were seen and not looked at further, by reason.
        stand_ins: By key, the version with rows that each known file without rows of its own has the bytes of.
        possibly_unchanged: By path, the bytes of the newest rows, for new file versions of the same size.
    """

    files: list[FileVersion]
    planned_at: int
    listed: int
    known_files: list[FileVersion] = field(default_factory=list)
    superseded: int = 0
    replacing: frozenset[str] = frozenset()
    unsettled: Mapping[str, Unsettled] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=Skipped)
    stand_ins: Mapping[FileKey, FileVersion] = field(default_factory=dict)
    possibly_unchanged: Mapping[str, KnownBytes] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """Number of file versions that are done."""
        return len(self.known_files)


def discover(config: StreamConfig, sink: Sink, now: datetime | None = None) -> Discovery:
    """List the source and find its new files.

    Args:
        config: The stream's configuration.
        sink: The stream's sink.
        now: Time from which the source's `stability_delay` is measured; the current time if not given.

    Raises:
        ConfigError: If the source does not exist.
        EnvironmentFault: If the source or the sink cannot be read.
        TransientError: If a store does not answer.
    """
    snapshot = sink.known(config.stream)
    skipped = Skipped()
    # After the snapshot, so that no version in the snapshot can be newer than what is listed here.
    listed = list_files(config.source, now, skipped)
    return replace(compare(config, snapshot, listed, skipped=skipped), skipped=skipped)


def compare(
    config: StreamConfig,
    snapshot: Known,
    listed: list[FileVersion],
    paths: Collection[str] | None = None,
    skipped: Skipped | None = None,
) -> Discovery:
    """Find the files that a snapshot of the sink does not know.

    Args:
        config: The stream's configuration.
        snapshot: The snapshot, taken before the files were looked at.
        listed: The files, in processing order.
        paths: The paths to compare with; all if not given, as for a listing of the whole source.
        skipped: Counts the files that the table has a newer version of.

    Raises:
        EnvironmentFault: If the sink cannot be read.
        TransientError: If its store does not answer.
    """
    if not listed or snapshot.planned_at < 0:
        return Discovery(listed, snapshot.planned_at, len(listed))
    if config.sink.mode == "upsert":
        omitted = Skipped() if skipped is None else skipped
        columns = [*KEY_COLUMNS, "modification_time", "batch_id"]
        found = _upserts(listed, snapshot.planned_at, snapshot.rows(columns, paths), omitted)
        return _without_unchanged(found, snapshot, [file for file in found.files if file.path in found.replacing])
    known = np.zeros(len(listed), dtype=bool)
    overwritten = np.zeros(len(listed), dtype=bool)
    candidates, listed_paths = file_keys(listed), _column(listed, "path")
    for rows in snapshot.rows(KEY_COLUMNS, paths):
        for flags, keys, among in (
            (known, row_keys(rows), candidates),
            (overwritten, rows.column("path"), listed_paths),
        ):
            places = pc.index_in(keys, value_set=among).drop_null()
            flags[places.to_numpy(zero_copy_only=False)] = True
    found = Discovery(_chosen(listed, ~known), snapshot.planned_at, len(listed), _chosen(listed, known))
    return _without_unchanged(found, snapshot, _chosen(listed, overwritten & ~known))


def _without_unchanged(found: Discovery, snapshot: Known, overwritten: Sequence[FileVersion]) -> Discovery:
    """Count versions as known that are recorded to have the bytes of the newest rows of their path."""
    touched = find_touched(snapshot, overwritten)
    return replace(
        found,
        files=[file for file in found.files if file.key not in touched.known],
        known_files=[*found.known_files, *(file for file in overwritten if file.key in touched.known)],
        stand_ins=touched.known,
        possibly_unchanged=touched.possible,
    )


def _upserts(listed: list[FileVersion], planned_at: int, committed: Iterable[pa.Table], skipped: Skipped) -> Discovery:
    """Compare each listed version with the newest one in the table for its path: the last by (modified, batch)."""
    keys, paths = file_keys(listed), _column(listed, "path")
    modified = _integers(pa.array([file.modified for file in listed], _UTC))
    latest = np.full(len(listed), -1)  # batch_id, or -1 for a path without rows
    latest_modified = np.zeros(len(listed), dtype=np.int64)
    same = np.zeros(len(listed), dtype=bool)
    for chunk in committed:
        rows = chunk.sort_by([("modification_time", "ascending"), ("batch_id", "ascending")])
        found = pc.index_in(rows.column("path").combine_chunks(), value_set=paths)
        hits = pc.is_valid(found)
        rows, places = rows.filter(hits), found.drop_null().to_numpy(zero_copy_only=False)
        time, batch = _integers(rows.column("modification_time")), _integers(rows.column("batch_id"))
        newer = (time > latest_modified[places]) | ((time == latest_modified[places]) & (batch > latest[places]))
        newer |= latest[places] < 0
        places = places[newer]
        latest[places], latest_modified[places] = batch[newer], time[newer]
        key_places = pc.index_in(row_keys(rows.filter(pa.array(newer))), value_set=keys)
        same[places] = pc.fill_null(pc.equal(key_places, pa.array(places, pa.int32())), False).to_numpy(
            zero_copy_only=False
        )
    there = latest >= 0
    superseded = there & ~same & (modified < latest_modified)
    new = ~(there & same) & ~superseded
    for file in _chosen(listed, superseded):
        skipped.add(SkipReason.SUPERSEDED, decode(file.path)[1])
    return Discovery(
        files=_chosen(listed, new),
        planned_at=planned_at,
        listed=len(listed),
        known_files=_chosen(listed, ~new),
        superseded=int(superseded.sum()),
        replacing=frozenset(file.path for file in _chosen(listed, new & there)),
    )


def _chosen(files: list[FileVersion], flags: Flags) -> list[FileVersion]:
    return [file for file, wanted in zip(files, flags, strict=True) if wanted]


def _integers(column: Any) -> Any:
    """Return a column of integers or times as 64-bit integers. A null counts as the earliest time."""
    return pc.fill_null(pc.cast(column, pa.int64()), 0).to_numpy(zero_copy_only=False)


def file_keys(files: Sequence[FileVersion]) -> pa.Array:
    """Return the keys of files, as `row_keys` does for rows."""
    return row_keys(pa.table({name: _column(files, name) for name in KEY_COLUMNS}))


def _column(files: Sequence[FileVersion], name: str) -> pa.Array:
    if name == "length":
        return pa.array([file.size for file in files], pa.int64())
    return pa.array([getattr(file, name) for file in files], pa.string())


def row_keys(rows: pa.Table) -> pa.Array:
    """Return one string per row. Different keys give different strings, because paths contain no line breaks."""
    parts = [pc.cast(rows.column(name), pa.large_string()) for name in KEY_COLUMNS]
    joined = pc.binary_join_element_wise(*parts, pa.scalar("\n", pa.large_string()))
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined

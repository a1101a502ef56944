"""What is new: the files that are there, less the file versions that are known.

Known is the ledger, and what `pages` has beyond the ledger's own version, from one snapshot of `pages`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from tasks.config import StreamConfig
from tasks.delta import scan_chunks, sql_text
from tasks.model import FileVersion
from tasks.sources import list_files
from tasks.tables import LedgerTable, PagesTable, transaction_version

KEY = ["path", "etag", "length"]
_CHUNK_ROWS = 250_000

Flags: TypeAlias = np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a look at the source and the table found.

    Attributes:
        files: New file versions, in the order they are to be processed.
        planned_at: The stream's transaction version in the snapshot they were compared with.
        listed: File versions in the source.
        known_files: Those of them that have rows.
    """

    files: list[FileVersion]
    planned_at: int
    listed: int
    known_files: list[FileVersion] = field(default_factory=list)

    @property
    def known(self) -> int:
        """How many of the listed file versions have rows."""
        return len(self.known_files)


def discover(config: StreamConfig, now: datetime | None = None) -> Discovery:
    """Lists the source and leaves out what is known.

    Args:
        config: The stream's configuration.
        now: What the source's `stability_delay` counts from; the time of the call when not given.

    Raises:
        ConfigError: If the source does not exist.
        EnvironmentFault: If the source or the sink cannot be read.
        TransientError: If a store does not answer.
    """
    listed = list_files(config.source, now)
    pages, ledger = PagesTable(config.sink.url), LedgerTable(config.sink.url)
    handle = ledger.open() if ledger.exists() else None  # before pages, so that it cannot be ahead of them
    snapshot = pages.open() if pages.exists() else None
    if handle is not None:
        ledger.require_projection_of(snapshot, handle)
    if snapshot is None:
        return Discovery(listed, -1, len(listed))
    planned_at = transaction_version(snapshot, config.stream)
    if not listed or planned_at < 0:
        return Discovery(listed, planned_at, len(listed))
    known = np.zeros(len(listed), dtype=bool)
    candidates = file_keys(listed)
    projected = -1
    if handle is not None:
        projected = transaction_version(handle, config.stream)
        _mark(known, candidates, handle, f"stream = {sql_text(config.stream)}")
    if planned_at > projected:
        newer = f"stream = {sql_text(config.stream)} AND batch_id > {projected}"
        _mark(known, candidates, snapshot, newer)
    new = [file for file, done in zip(listed, known, strict=True) if not done]
    return Discovery(new, planned_at, len(listed), [file for file, done in zip(listed, known, strict=True) if done])


def file_keys(files: Sequence[FileVersion]) -> pa.Array:
    """Returns the keys of files, as `row_keys` makes them."""
    return row_keys(pa.table({name: _column(files, name) for name in KEY}))


def _column(files: Sequence[FileVersion], name: str) -> pa.Array:
    if name == "length":
        return pa.array([file.size for file in files], pa.int64())
    return pa.array([getattr(file, name) for file in files], pa.string())


def row_keys(rows: pa.Table) -> pa.Array:
    """Returns one string a row. A path has no line break in it and a length is digits, so no two keys are alike."""
    parts = [pc.cast(rows.column(name), pa.large_string()) for name in KEY]
    joined = pc.binary_join_element_wise(*parts, pa.scalar("\n", pa.large_string()))
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _mark(known: Flags, candidates: pa.Array, table: DeltaTable, where: str) -> None:
    """Marks the candidates that the rows of `table` name, a chunk of rows at a time."""
    for rows in scan_chunks(table, KEY, where, _CHUNK_ROWS):
        places = pc.index_in(row_keys(rows), value_set=candidates).drop_null()
        known[places.to_numpy(zero_copy_only=False)] = True

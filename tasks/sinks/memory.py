"""The memory sink, for notebooks and your own tests: its rows are lost when the process ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from inkstream.tasks.commit.stamped_rows import CommitRows
from inkstream.tasks.rows import PAGES_SCHEMA
from inkstream.tasks.sinks.numbered import NumberedSink


@dataclass(frozen=True, slots=True)
class _Commit:
    id: str
    rows: pa.Table


_commits: dict[tuple[str, str], dict[int, _Commit]] = {}
"""The commits of all memory sinks of this process, by URL and stream."""
_unchanged: dict[tuple[str, str], list[pa.Table]] = {}
"""What is recorded of file versions without rows, by URL and stream."""
_lock = threading.Lock()


class MemorySink(NumberedSink):
    """Arrow tables in this process. See `inkstream.tasks.sinks.sink.Sink`.

    Args:
        url: `memory://NAME`; sinks with the same name are the same sink.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url, f"Rows in the memory of this process, {url},")

    def numbers(self, stream: str) -> list[int]:
        """Return the numbers of the stream's commits, rising."""
        with _lock:
            return sorted(_commits.get((self.url, stream), {}))

    def streams(self) -> list[str]:
        """Return the streams that have commits."""
        with _lock:
            return sorted(stream for url, stream in _commits if url == self.url)

    def read(self, stream: str, number: int, columns: Sequence[str] | None) -> pa.Table:
        """Return a commit's rows, without copying them."""
        rows = _commits[self.url, stream][number].rows
        return rows if columns is None else rows.select(list(columns))

    def commit_id(self, stream: str, number: int) -> str:
        """Return the id that the commit was created with."""
        return _commits[self.url, stream][number].id

    def unchanged(self, stream: str) -> Iterator[pa.Table]:
        """Yield what was recorded."""
        with _lock:
            return iter([*_unchanged.get((self.url, stream), ())])

    def record_unchanged(self, stream: str, versions: pa.Table) -> None:
        """Keep the records."""
        with _lock:
            _unchanged.setdefault((self.url, stream), []).append(versions)

    def create(self, stream: str, number: int, rows: CommitRows, commit_id: str) -> None:
        """Keep the rows."""
        commit = _Commit(commit_id, pa.Table.from_batches(list(rows.batches()), PAGES_SCHEMA))
        with _lock:
            commits = _commits.setdefault((self.url, stream), {})
            if number in commits:
                raise FileExistsError(f"{self.url} {stream} {number}")
            commits[number] = commit

"""The catalogue of commits, and of the pieces of rows that each version has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from inkstream.ocr_core.errors import ConfigError, TransientError
from inkstream.tasks.commit.operations import Landed
from inkstream.tasks.model import FileKey
from inkstream.tasks.rows import PAGES_SCHEMA
from tests.integration.tasks.sinks.sqlite_sink.snapshot import ArrowSnapshot

FILE = "pages.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS commits (version INTEGER PRIMARY KEY, stream TEXT, batch_id INTEGER, commit_id TEXT);
CREATE TABLE IF NOT EXISTS pieces (
    stream TEXT, path TEXT, etag TEXT, length INTEGER, added INTEGER, removed INTEGER, data BLOB
);
"""


class Catalogue:
    """A SQLite file in the sink's folder; every call opens a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def exists(self) -> bool:
        return self.path.exists()

    def latest(self) -> int:
        with self._connected() as database:
            return int(database.execute("SELECT coalesce(max(version), 0) FROM commits").fetchone()[0])

    def snapshot(self, version: int | None = None) -> ArrowSnapshot:
        """Pin a version; version 0 is the empty table."""
        latest = self.latest()
        if version is not None and version > latest:
            raise ConfigError(f"{self.path} has no version {version}")
        version = latest if version is None else version
        with self._connected() as database:
            pieces = database.execute(
                "SELECT data FROM pieces WHERE added <= ? AND (removed IS NULL OR removed > ?)", (version, version)
            ).fetchall()
            streams = database.execute(
                "SELECT stream, max(batch_id) FROM commits WHERE version <= ? GROUP BY stream", (version,)
            ).fetchall()
        tables = [pa.ipc.open_stream(data).read_all() for (data,) in pieces]
        rows = pa.concat_tables([PAGES_SCHEMA.empty_table(), *tables])
        return ArrowSnapshot(str(self.path), version, rows, dict(streams))

    def find(self, commit_id: str, after: int) -> Landed | None:
        with self._connected() as database:
            found = database.execute(
                "SELECT batch_id, version FROM commits WHERE commit_id = ? AND version > ?", (commit_id, after)
            ).fetchone()
        return None if found is None else Landed(*found)

    @contextmanager
    def commit(self, stream: str, batch_id: int, commit_id: str) -> Iterator[Commit]:
        """Create the next version, if the stream's transaction version is the one before `batch_id`."""
        with self._connected() as database:
            database.execute("BEGIN IMMEDIATE")
            (before,) = database.execute(
                "SELECT coalesce(max(batch_id), -1) FROM commits WHERE stream = ?", (stream,)
            ).fetchone()
            if before != batch_id - 1:
                raise TransientError(f"another driver made commit {before} of {self.path}")
            (version,) = database.execute("SELECT coalesce(max(version), 0) + 1 FROM commits").fetchone()
            database.execute("INSERT INTO commits VALUES (?, ?, ?, ?)", (version, stream, batch_id, commit_id))
            yield Commit(database, stream, version)
            database.execute("COMMIT")

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=60, isolation_level=None)
        try:
            database.executescript(_TABLES)
            yield database
        except sqlite3.OperationalError as error:
            raise TransientError(f"{self.path}: {error}") from error
        finally:
            database.close()


class Commit:
    """A commit in progress. It becomes visible as a whole when it ends."""

    def __init__(self, database: sqlite3.Connection, stream: str, version: int) -> None:
        self._database = database
        self._stream = stream
        self.version = version

    def remove(self, key: FileKey, *, whole_path: bool) -> None:
        """Remove the rows of a file version, or of all versions of its path."""
        which = "path = ?" if whole_path else "path = ? AND etag = ? AND length = ?"
        self._database.execute(
            f"UPDATE pieces SET removed = ? WHERE removed IS NULL AND stream = ? AND {which}",
            (self.version, self._stream, *(key[:1] if whole_path else key)),
        )

    def add(self, key: FileKey, rows: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, rows.schema) as writer:
            writer.write_table(rows)
        piece = (self._stream, *key, self.version, None, sink.getvalue().to_pybytes())
        self._database.execute("INSERT INTO pieces VALUES (?, ?, ?, ?, ?, ?, ?)", piece)

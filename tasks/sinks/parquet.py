"""The Parquet sink: `SINK/pages/STREAM/000000000042.parquet`, one file per batch, without a table format."""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from inkstream.ocr_core.errors import EnvironmentFault, InkstreamError
from inkstream.ocr_core.installation import upgrade_command
from inkstream.tasks.commit.stamped_rows import CommitRows
from inkstream.tasks.paths import split_url
from inkstream.tasks.rows import PAGES_SCHEMA, SCHEMA_VERSION, aligned
from inkstream.tasks.sinks.numbered import NumberedSink
from inkstream.tasks.stores import create_from, explain_store_error, filesystem, open_store
from inkstream.tasks.whole_files import sync_folder, sync_names

_COMMIT_ID = b"inkstream.commit_id"
_VERSION = b"inkstream.schema_version"
_NAME = re.compile(r"(\d{12})\.parquet")
_STATISTICS = ["path", "pagenum", "batch_id", "timestamp"]
_ROW_GROUP_BYTES = 32 << 20


class ParquetSink(NumberedSink):
    """Parquet files in a folder or on S3. See `inkstream.tasks.sinks.sink.Sink`.

    Args:
        sink_url: The sink's folder or prefix, in a store where objects can be created exclusively.
        durable: Whether commits have to survive a power cut. Object stores see to that themselves.
    """

    def __init__(self, sink_url: str, *, durable: bool = True) -> None:
        self._protocol, root = split_url(sink_url)
        self._root = f"{root.rstrip('/')}/pages"
        self._records = f"{root.rstrip('/')}/files"
        url = self._root if self._protocol == "file" else f"{self._protocol}://{self._root}"
        super().__init__(url, f"Parquet files in {url}")
        self._syncs = durable and self._protocol == "file"
        self._synced: dict[str, int] = {}

    def make_durable(self, stream: str, upto: int) -> None:
        """Sync the names of a stream's files: each file's bytes were synced before it got its name."""
        if not self._syncs or upto <= self._synced.get(stream, -1):
            return
        folder = Path(self._key(stream, upto)).parent
        try:
            sync_folder(folder)
            if stream not in self._synced:  # the folders themselves may be new
                sync_names([folder, folder.parent, folder.parent.parent])
        except OSError as error:
            raise explain_store_error(error, f"cannot make the commits in {folder} durable", "file") from error
        self._synced[stream] = upto

    def numbers(self, stream: str) -> list[int]:
        """Return the numbers of the files in the stream's folder, rising."""
        matches = (_NAME.fullmatch(name) for name in self._names(stream))
        return sorted(int(match[1]) for match in matches if match)

    def streams(self) -> list[str]:
        """Return the names of the folders in the sink's `pages` folder."""
        return sorted(name for name in self._names("") if not name.startswith((".", "_")))

    def _names(self, folder: str) -> list[str]:
        place = f"{self._root}/{folder}".rstrip("/")
        try:
            found = filesystem(self._protocol).ls(place, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except Exception as error:
            raise explain_store_error(error, f"cannot list {self.url}/{folder}") from error
        return [name.rstrip("/").rpartition("/")[2] for name in found if name.rstrip("/") != place]

    def _key(self, stream: str, number: int) -> str:
        return f"{self._root}/{stream}/{number:012}.parquet"

    def read(self, stream: str, number: int, columns: Sequence[str] | None) -> pa.Table:
        """Return the columns of one file. A column that the file lacks is null."""
        wanted = PAGES_SCHEMA if columns is None else pa.schema([PAGES_SCHEMA.field(name) for name in columns])
        with _Reading(self._protocol, self._key(stream, number)) as file:
            there = [name for name in wanted.names if name in file.schema_arrow.names]
            rows = file.read(columns=there, use_threads=False)  # Arrow's thread pool may abort a process at its end
        return aligned(rows, wanted)

    def commit_id(self, stream: str, number: int) -> str:
        """Return the id in the file's own metadata."""
        with _Reading(self._protocol, self._key(stream, number)) as file:
            found: bytes = (file.metadata.metadata or {}).get(_COMMIT_ID, b"")
            return found.decode()

    def unchanged(self, stream: str) -> Iterator[pa.Table]:
        """Yield the records in `SINK/files/STREAM`."""
        folder = f"{self._records}/{stream}"
        try:
            store = open_store(self._protocol, folder)
            for name in store.names(folder):
                yield pq.read_table(pa.BufferReader(store.fetch(name)), use_threads=False)
        except Exception as error:
            raise explain_store_error(error, f"cannot read {folder}", self._protocol) from error

    def record_unchanged(self, stream: str, versions: pa.Table) -> None:
        """Write the records as one more file into `SINK/files/STREAM`."""
        target = f"{self._records}/{stream}/{uuid.uuid4().hex}.parquet"
        data = pa.BufferOutputStream()
        pq.write_table(versions, data, compression="zstd")
        try:
            open_store(self._protocol, target).write(target, data.getvalue().to_pybytes())
        except Exception as error:
            raise explain_store_error(error, f"cannot write {target}", self._protocol) from error

    def create(self, stream: str, number: int, rows: CommitRows, commit_id: str) -> None:
        """Write the file under another name, then create it completely under its own."""
        target = self._key(stream, number)
        partial = _partial(self._protocol, target)
        try:
            _write(partial, rows, commit_id)
            create_from(self._protocol, partial, target)
        except (FileExistsError, InkstreamError):
            raise
        except OSError as error:
            raise explain_store_error(error, f"cannot write {target}") from error
        finally:
            partial.unlink(missing_ok=True)


class _Reading:
    """A file that is open for reading. A newer schema version is refused."""

    def __init__(self, protocol: str, key: str) -> None:
        self._key = key
        try:
            self._data: Any = filesystem(protocol).open(key, "rb")
            self._file = pq.ParquetFile(self._data)
        except Exception as error:
            raise explain_store_error(error, f"cannot read {key}") from error

    def __enter__(self) -> Any:
        written = int((self._file.metadata.metadata or {}).get(_VERSION, SCHEMA_VERSION))
        if written > SCHEMA_VERSION:
            raise EnvironmentFault(
                f"{self._key} has schema version {written}, but this Inkstream reads versions up to {SCHEMA_VERSION}",
                upgrade_command(),
            )
        return self._file

    def __exit__(self, *_: object) -> None:
        self._data.close()


def _partial(protocol: str, target: str) -> Path:
    """Return where to write the file first: beside its target under a hidden name, or in the temporary folder."""
    name = f".{Path(target).name}.{uuid.uuid4().hex}.partial"
    folder = Path(target).parent if protocol == "file" else Path(tempfile.gettempdir())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def _write(partial: Path, rows: CommitRows, commit_id: str) -> None:
    metadata = {_COMMIT_ID: commit_id.encode(), _VERSION: str(SCHEMA_VERSION).encode()}
    schema = PAGES_SCHEMA.with_metadata(metadata)
    waiting: list[pa.RecordBatch] = []

    def flush() -> None:
        if waiting:
            group = pa.Table.from_batches(waiting).replace_schema_metadata(metadata)
            writer.write_table(group, row_group_size=max(1, len(group)))
            waiting.clear()

    with (
        partial.open("wb") as out,
        pq.ParquetWriter(out, schema, compression="zstd", write_statistics=_STATISTICS) as writer,
    ):
        for batch in rows.batches():
            waiting.append(batch)
            if sum(part.nbytes for part in waiting) >= _ROW_GROUP_BYTES:
                flush()
        flush()

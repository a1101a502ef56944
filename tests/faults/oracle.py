"""Compare what must be in the table with what is: (file version, page) pairs, and the bytes each was read from."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.parquet as pq
from deltalake import DeltaTable

from inkstream.tasks.paths import split_url
from inkstream.tasks.sinks.delta.engine import storage_options

PageKey = tuple[str, str, int, int | None]


@dataclass(slots=True)
class Verdict:
    """How the table differs from what was put into the source.

    Attributes:
        lost: Pages of known file versions that have no row.
        duplicated: Pages with more than one row.
        foreign: Rows of file versions that were never put into the source.
        torn: File versions that have only some of their pages.
        wrong_bytes: Rows whose content hash is not that of the version their etag names.
        rows: Total number of rows.
    """

    rows: int = 0
    lost: set[PageKey] = field(default_factory=set)
    duplicated: Counter[PageKey] = field(default_factory=Counter)
    foreign: set[PageKey] = field(default_factory=set)
    torn: set[str] = field(default_factory=set)
    wrong_bytes: set[PageKey] = field(default_factory=set)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.duplicated or self.foreign or self.torn or self.wrong_bytes)


class Corpus:
    """Every version of every file that was ever put into a local source, with its hash and page count."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._versions: dict[tuple[str, str, int], tuple[str, int]] = {}

    def put(self, name: str, content: bytes, pages: int) -> None:
        """Write a whole file (with a rename, like careful uploaders) and remember its version."""
        target = self.folder / name
        partial = self.folder / f".{name}.partial"
        partial.write_bytes(content)
        partial.rename(target)
        self.adopt(name, pages)

    def adopt(self, name: str, pages: int) -> None:
        """Remember the current version of a file."""
        target = self.folder / name
        stat = target.stat()
        key = (target.resolve().as_uri(), f"{stat.st_mtime_ns}-{stat.st_size}", stat.st_size)
        self._versions[key] = (hashlib.sha256(target.read_bytes()).hexdigest(), pages)

    def judge(self, sink: Path | str, *, stream: str = "main") -> Verdict:
        """Compare a stream's rows with the files put here.

        All pages of the current versions must be in the table; older versions may be.
        """
        verdict = Verdict()
        found: Counter[PageKey] = Counter()
        for row in read_rows(sink, stream):
            key: PageKey = (row["path"], row["etag"], row["length"], row["pagenum"])
            found[key] += 1
            verdict.rows += 1
            version = self._versions.get((row["path"], row["etag"], row["length"]))
            if version is None:
                verdict.foreign.add(key)
            elif row["content_hash"] != version[0]:
                verdict.wrong_bytes.add(key)
        verdict.duplicated = Counter({key: count for key, count in found.items() if count > 1})
        for file, (_, pages) in self._versions.items():
            wanted: set[PageKey] = {(*file, page) for page in range(pages)}
            missing = wanted - found.keys()
            if missing and self._is_current(file):
                verdict.lost |= missing
            if missing and missing != wanted:
                verdict.torn.add(file[0])
        return verdict

    def _is_current(self, key: tuple[str, str, int]) -> bool:
        path = self.folder / Path(key[0]).name
        stat = path.stat()
        return key[1] == f"{stat.st_mtime_ns}-{stat.st_size}"


def read_rows(sink: Path | str, stream: str = "main") -> list[dict[str, Any]]:
    """Return the rows of a stream, read from the table's own files without any code of Inkstream."""
    columns = ["path", "etag", "length", "pagenum", "content_hash", "batch_id", "stream", "exception_kind", "text"]
    rows: list[dict[str, Any]] = []
    options = storage_options(*split_url(str(sink)))
    is_delta = DeltaTable.is_deltatable(f"{sink}/pages", options)
    files = (
        DeltaTable(f"{sink}/pages", storage_options=options).file_uris()
        if is_delta
        else Path(sink, "pages").glob("*/*.parquet")
    )
    for uri in files:
        with fsspec.open(str(uri), "rb") as file:
            rows.extend(pq.read_table(file, columns=columns).to_pylist())
    return [row for row in rows if row["stream"] == stream]

"""The spool: result rows on disk until they are committed."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import pyarrow as pa

from inkstream.ocr_core.errors import TransientError


class ResultSpool:
    """The rows of one batch, kept on disk until the commit so that memory use does not grow.

    Files are identified by their index in the batch. The spool file has no name, so it disappears even if the process
    is killed. It is thread-safe.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="inkstream-spool-")  # noqa: SIM115 - closed by close()
        self._lock = threading.Lock()
        self._places: dict[int, dict[int | None, tuple[int, int, pa.Schema]]] = {}
        self._pages: dict[int, set[int | None]] = {}
        self._totals: dict[int, set[int | None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, index: int, rows: pa.RecordBatch) -> None:
        """Store the rows of one page range of the file at `index`. Ranges may have different columns.

        A range that is already stored is dropped (its worker was thought dead and answered late).

        Raises:
            ValueError: If there are no rows, or some but not all of the pages are already stored.
            TransientError: If the disk is full.
        """
        pages = rows.column("pagenum").to_pylist()
        with self._lock:
            have = self._pages.setdefault(index, set())
            if pages and have.issuperset(pages):
                return
            if not pages or have.intersection(pages) or len(set(pages)) != len(pages):
                raise ValueError(f"file {index} of the batch: pages {pages} overlap those already stored")
            self._places.setdefault(index, {})[pages[0]] = (*self._write(rows.serialize()), rows.schema)
            have.update(pages)
            self._totals.setdefault(index, set()).update(rows.column("total_pages").to_pylist())

    def pages(self, index: int) -> frozenset[int | None]:
        """Return the pages of a file that are stored; `{None}` for a file's single row that is not for a page."""
        return frozenset(self._pages.get(index, ()))

    def require_whole(self, index: int, selected: Callable[[int], Sequence[int]] = range) -> None:
        """Check that a file has one row for each page to read, or its single row if it has no such page.

        Args:
            index: The file.
            selected: Returns the pages to read, given a file's number of pages; all if not given.

        Raises:
            ValueError: If rows are missing or there are too many.
        """
        totals = self._totals.get(index, set())
        planned: set[int | None] = {page for total in totals if total is not None for page in selected(total)}
        if len(totals) != 1 or self.pages(index) != (planned or {None}):
            raise ValueError(f"file {index} of the batch: it does not have exactly one row for each page")

    def read(self, index: int) -> Iterator[pa.RecordBatch]:
        """Yield a file's rows, pages in order. It may be called more than once."""
        places = self._places.get(index, {})
        for first in sorted(places, key=lambda page: -1 if page is None else page):
            offset, length, schema = places[first]
            with self._lock:
                self._file.seek(offset)
                data = self._file.read(length)
            yield pa.ipc.read_record_batch(pa.py_buffer(data), schema)

    def close(self) -> None:
        """Delete the spool file."""
        self._file.close()

    def _write(self, data: pa.Buffer) -> tuple[int, int]:
        try:
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(data)
        except OSError as error:
            raise TransientError(f"cannot write results to {tempfile.gettempdir()}: {error}") from error
        return offset, data.size

"""Where result rows wait on disk until they are committed."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import pyarrow as pa

from inkstream.ocr_core.errors import TransientError


class ResultSpool:
    """Rows of one batch, on disk from their arrival to the commit, so that memory stays flat.

    Files go by their index in the batch. The spool file has no name, so nothing is left behind however the
    process ends. Safe between threads.
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
        """Keeps the rows of one page range of the file at `index`. They may have columns of their own.

        A range that is already there (its worker was thought dead and answered late) is dropped.

        Raises:
            ValueError: If there are no rows, or only some of its pages are already there.
            TransientError: If the disk is full.
        """
        pages = rows.column("pagenum").to_pylist()
        with self._lock:
            have = self._pages.setdefault(index, set())
            if pages and have.issuperset(pages):
                return
            if not pages or have.intersection(pages) or len(set(pages)) != len(pages):
                raise ValueError(f"file {index} of the batch: pages {pages} overlap those already there")
            self._places.setdefault(index, {})[pages[0]] = (*self._write(rows.serialize()), rows.schema)
            have.update(pages)
            self._totals.setdefault(index, set()).update(rows.column("total_pages").to_pylist())

    def pages(self, index: int) -> frozenset[int | None]:
        """Tells which pages of a file are there; `{None}` for the one row of a file that has none for a page."""
        return frozenset(self._pages.get(index, ()))

    def require_whole(self, index: int, selected: Callable[[int], Sequence[int]] = range) -> None:
        """Checks that there is one row for each page to be read, or the one row of a file that has no such page.

        Args:
            index: The file.
            selected: Says which pages are to be read of a file with so many; all if not given.

        Raises:
            ValueError: If not.
        """
        totals = self._totals.get(index, set())
        planned: set[int | None] = {page for total in totals if total is not None for page in selected(total)}
        if len(totals) != 1 or self.pages(index) != (planned or {None}):
            raise ValueError(f"file {index} of the batch: the rows at hand are not one for each page")

    def read(self, index: int) -> Iterator[pa.RecordBatch]:
        """Reads a file's rows back, pages in order. May be done again."""
        places = self._places.get(index, {})
        for first in sorted(places, key=lambda page: -1 if page is None else page):
            offset, length, schema = places[first]
            with self._lock:
                self._file.seek(offset)
                data = self._file.read(length)
            yield pa.ipc.read_record_batch(pa.py_buffer(data), schema)

    def close(self) -> None:
        """Frees the disk."""
        self._file.close()

    def _write(self, data: pa.Buffer) -> tuple[int, int]:
        try:
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(data)
        except OSError as error:
            raise TransientError(f"could not keep results in {tempfile.gettempdir()}: {error}") from error
        return offset, data.size

"""Turning rows back into documents: text, hOCR, ALTO or a searchable PDF for each file of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, SourceChangedError, TransientError
from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.ocr_core.export.writers import TEXT_WRITERS
from inkstream.ocr_core.grouping import groups_within
from inkstream.ocr_core.page import PLAIN_FIELDS, PageResult
from inkstream.ocr_core.workers.pdf_writer import PdfWriter
from inkstream.tasks.config import StreamConfig
from inkstream.tasks.model import FileVersion
from inkstream.tasks.paths import decode, encode, join, split_url
from inkstream.tasks.queries.export_names import output_name
from inkstream.tasks.queries.path_patterns import matching
from inkstream.tasks.queries.stored_pages import StoredFile, StoredPages
from inkstream.tasks.rows import page_result
from inkstream.tasks.stores import can_be_written, explain_store_error, open_store
from inkstream.tasks.stores.fetching import fetch
from inkstream.tasks.stores.scratch import scratch_folder

_MEBIBYTE = 1024 * 1024
_PAGES_AT_ONCE = 256
_FILES_AT_ONCE = 64
"""Limits on what is read at a time: queries are expensive compared to a file's rows, but a file may have many rows."""

_COLUMNS = (*PLAIN_FIELDS, "regions", "exception", "exception_kind", "notes", "path")


@dataclass(frozen=True, slots=True)
class Exported:
    """The export of one file.

    Attributes:
        path: The document's path in the table.
        output: Where the export is; None if there is none.
        pages: Number of pages.
        failed_pages: Number of pages that failed and have no text.
        problem: Why there is no export, or None.
        passing: Whether the problem is transient, so that another try may succeed.
    """

    path: str
    output: str | None
    pages: int
    failed_pages: int
    problem: str | None = None
    passing: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the export as `export --json` prints it."""
        return {
            "path": self.path,
            "output": self.output,
            "pages": self.pages,
            "failed_pages": self.failed_pages,
            "problem": self.problem,
        }


class Export:
    """The latest version of each of a stream's files, written in one format.

    Args:
        pages: The pages, from `stored_pages`.
        config: The stream's configuration, from `stored_config`.
        output_url: Folder or URL to write to.
        export_format: The format to write.
        patterns: Patterns of the files to export (see `inkstream.tasks.queries.path_patterns`); all if empty.

    Attributes:
        files: The files to export, in the order of their batches.

    Raises:
        ConfigError: If no file matches, or the output URL cannot be written to.
        EnvironmentFault: If the table cannot be read.
        TransientError: If the store does not answer.
    """

    def __init__(
        self,
        pages: StoredPages,
        config: StreamConfig,
        output_url: str,
        export_format: ExportFormat,
        *,
        patterns: Sequence[str] = (),
    ) -> None:
        self._pages = pages
        self._config = config
        self._root = encode(*split_url(self._config.source.url))
        self._output_url = output_url
        self._output = split_url(output_url)
        if not can_be_written(self._output[0]):
            raise ConfigError(
                f"files cannot be stored in {output_url}; give a folder, or a bucket such as s3://bucket/text"
            )
        self._format = export_format
        self.files = _latest(self._pages, self._config.stream, patterns)

    def __iter__(self) -> Iterator[Exported]:
        """Write the files one by one. A problem with one file goes into its `problem`, and the export continues.

        Raises:
            EnvironmentFault: If the output cannot be written, or the documents cannot be read with these credentials.
            TransientError: If the table cannot be read at the moment.
        """
        with ExitStack() as stack:
            original = stack.enter_context(_Originals(self._config)) if self._format is ExportFormat.PDF else None
            for group in groups_within(self.files, lambda stored: stored.pages, _PAGES_AT_ONCE, _FILES_AT_ONCE):
                pages = self._read(group)
                for stored in group:
                    yield self._write(stored, pages.pop(stored.file.path, []), original)

    def _read(self, group: Sequence[StoredFile]) -> dict[str, list[PageResult]]:
        """Return the pages of some files, by path."""
        found: dict[str, list[PageResult]] = {}
        for row in self._pages.read(self._config.stream, group, _COLUMNS):
            found.setdefault(row["path"], []).append(page_result(row))
        return found

    def _write(self, stored: StoredFile, pages: list[PageResult], original: _Originals | None) -> Exported:
        path = stored.file.path
        name = output_name(path, self._root, self._format.extension)
        failed = sum(page.failure is not None for page in pages)
        try:
            if original is not None:
                data = original.with_text(stored.file, pages)
            else:
                plain = decode(path)[1].rpartition("/")[2]
                data = TEXT_WRITERS[self._format](pages, plain).encode("utf-8", "replace")
            self._put(name, data)
        except (DocumentError, TransientError) as error:
            passing = isinstance(error, TransientError) and not isinstance(error, SourceChangedError)
            reason = str(error).removeprefix(f"{path}: ")
            return Exported(path, None, len(pages), failed, reason, passing)
        return Exported(path, join(self._output_url, name), len(pages), failed)

    def _put(self, name: str, data: bytes) -> None:
        protocol, root = self._output
        try:
            open_store(protocol, root).write(join(root, name), data)
        except Exception as error:
            raise explain_store_error(error, f"cannot write {name} to {self._output_url}", protocol) from error


class _Originals:
    """Adds text to the original documents, read again in the version that the rows were made from."""

    def __init__(self, config: StreamConfig) -> None:
        self._limits = config.execution.limits
        self._writer = PdfWriter(self._limits)
        self._folder = scratch_folder()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def with_text(self, file: FileVersion, pages: list[PageResult]) -> bytes:
        """Return a document's searchable PDF.

        Raises:
            DocumentError: If this document cannot become a searchable PDF.
            SourceChangedError: If the document has changed since it was read.
            TransientError: If the document cannot be read at the moment.
            EnvironmentFault: If these credentials cannot read any document.
        """
        try:
            fetched = fetch(file, self._folder, max_bytes=self._limits.max_file_mb * _MEBIBYTE)
        except SourceChangedError as error:
            raise SourceChangedError(f"{error}; the stored text belongs to the version that was read") from error
        target: Path = self._folder / "searchable.pdf"
        try:
            self._writer.write(fetched.local_path, pages, target)
            return target.read_bytes()
        except OSError as error:
            raise EnvironmentFault(
                f"cannot write a copy to {self._folder}: {error}", "free some space there"
            ) from error
        finally:
            for copy in (target, fetched.local_path):
                copy.unlink(missing_ok=True)


def _latest(pages: StoredPages, stream: str, patterns: Sequence[str]) -> list[StoredFile]:
    """Return the last committed version of each file."""
    newest: dict[str, StoredFile] = {}
    for stored in pages.files(stream):
        known = newest.get(stored.file.path)
        if known is None or _order(known) < _order(stored):
            newest[stored.file.path] = stored
    wanted = matching(newest, patterns)
    if patterns and not wanted:
        raise ConfigError(f"stream {stream} has no file {' or '.join(patterns)}; `inkstream show` prints paths")
    return sorted((newest[path] for path in wanted), key=lambda stored: (stored.batch_id, stored.file.path))


def _order(stored: StoredFile) -> tuple[int, datetime]:
    return stored.batch_id, stored.file.modified

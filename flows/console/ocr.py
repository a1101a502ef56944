"""What `inkstream ocr` prints."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from inkstream.flows.console.terminal import Terminal
from inkstream.flows.text import page_of, print_json, visible
from inkstream.ocr_core.errors import ConfigError
from inkstream.ocr_core.export.export_format import ExportFormat
from inkstream.ocr_core.export.writers import TEXT_WRITERS
from inkstream.tasks.whole_files import write_whole

if TYPE_CHECKING:
    from inkstream.ocr_core.options.limits import LimitOptions
    from inkstream.ocr_core.page import PageResult
    from inkstream.tasks.config import StreamConfig


def print_ocr(file: Path, config: StreamConfig, text_format: ExportFormat, output: Path | None) -> bool:
    """Read one document, and print it or write it to a file; return whether a page failed.

    Args:
        file: The document.
        config: The options to read it with.
        text_format: The format to print or write.
        output: The file to write; None for standard output.

    Raises:
        ConfigError: If the output is the document itself, cannot be written, or is a terminal and the format is PDF.
        DocumentError: If no searchable PDF can be made of the document.
        EnvironmentFault: If this machine lacks something.
    """
    from inkstream.ocr_core.pipeline.environment import require_environment
    from inkstream.ocr_core.reading import read_document

    _require_place(file, text_format, output)
    require_environment(config.pipeline)
    pages = _WatchedPages(file, read_document(file, config.pipeline, limits=config.execution.limits))
    if text_format in (ExportFormat.TEXT, ExportFormat.JSON) and output is None:
        _print_pages(pages, text_format)
    else:
        _write(_encoded(file, pages, text_format, config.execution.limits), output)
    return pages.failed


class _WatchedPages:
    """An iterator over pages that prints failures, notes and, on a terminal, progress on standard error."""

    def __init__(self, file: Path, pages: Iterable[PageResult]) -> None:
        self.failed = False
        self._file = file
        self._pages = pages

    def __iter__(self) -> Iterator[PageResult]:
        console = Terminal(stderr=True, soft_wrap=True)
        with console.status(f"reading {visible(self._file.name)}", spinner=console.spinner_name) as status:
            for count, page in enumerate(self._pages, 1):
                status.update(f"{count} of {page.total_pages or count} pages")
                where = page_of(str(self._file), page.pagenum)
                if page.notes:
                    console.print(f"{where}: note: {'; '.join(page.notes)}", markup=False)
                if page.failure is not None:
                    self.failed = True
                    console.print(f"{where}: {page.failure.kind}: {page.failure.message}", markup=False)
                yield page


def _print_pages(pages: Iterable[PageResult], text_format: ExportFormat) -> None:
    from inkstream.ocr_core.export.text import page_json, page_text

    for page in pages:
        if text_format is ExportFormat.JSON:
            print_json(page_json(page))
            continue
        text = page_text(page)
        sys.stdout.write(visible(text, keep="\n\t\f") if sys.stdout.isatty() else text)
    sys.stdout.flush()


def _encoded(file: Path, pages: Iterable[PageResult], text_format: ExportFormat, limits: LimitOptions) -> bytes:
    if text_format is not ExportFormat.PDF:
        return TEXT_WRITERS[text_format](pages, file.name).encode("utf-8", "replace")
    from inkstream.ocr_core.workers.pdf_writer import PdfWriter

    with tempfile.TemporaryDirectory(prefix="inkstream-ocr-") as folder, PdfWriter(limits) as writer:
        target = Path(folder) / "searchable.pdf"
        writer.write(file, pages, target)
        return target.read_bytes()


def _write(data: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        write_whole(output, data)
    except OSError as error:
        raise ConfigError(f"--output {output}: cannot be written: {error.strerror or error}") from None


def _require_place(file: Path, text_format: ExportFormat, output: Path | None) -> None:
    """Refuse an output that cannot be used, before the document is read."""
    if output is None:
        if text_format is ExportFormat.PDF and sys.stdout.isatty():
            raise ConfigError("a terminal cannot show a PDF; give --output FILE")
        return
    if output.is_dir():
        raise ConfigError(f"--output {output} is a folder; give a file")
    if output.exists() and output.samefile(file):
        raise ConfigError(f"--output {output} is the document itself, which is not overwritten; give another file")

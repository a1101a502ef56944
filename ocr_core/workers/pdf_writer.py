"""Making searchable PDFs in a sandboxed child process, which is kept from one document to the next."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from inkstream.ocr_core.documents.passwords import pdf_passwords
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import PageResult
from inkstream.ocr_core.sandbox.supervisor import Sandbox

HANDLER = "inkstream.ocr_core.workers.pdf_handler:handle"

_PAGES_WORTH = 10
"""A document may take as long as reading this many pages; copying 200 pages takes as long as reading one."""


class PdfWriter:
    """Writes searchable PDFs with `searchable_pdf`, in a separate process, so that a bad document harms nothing else.

    Args:
        limits: Limits for reading one page; a document gets ten times the seconds.
    """

    def __init__(self, limits: LimitOptions | None = None) -> None:
        limits = limits or LimitOptions()
        seconds = {name: getattr(limits, name) * _PAGES_WORTH for name in ("page_seconds", "page_cpu_seconds")}
        self._limits = limits.model_copy(update=seconds)
        self._sandbox = Sandbox(HANDLER, self._limits)

    def write(self, source: Path, pages: Iterable[PageResult], target: Path) -> None:
        """Write the searchable PDF of one document.

        Args:
            source: The document that was read, a PDF or an image. It must not change in the meantime.
            pages: Its results.
            target: The file to write; after an error it does not exist.

        Raises:
            DocumentError: `encrypted`, `corrupt` or `limit`; if the file could not be read, its failure; or if the
                child failed: `timeout`, `memory`, `crash`, `internal`.
            EnvironmentFault: If the child cannot start.
        """
        results = target.with_name(f"{target.name}.pages")
        paths = {"source": source, "pages": results, "target": target}
        try:
            _write_results(results, pages)
            request = {name: str(path.absolute()) for name, path in paths.items()}
            self._call({**request, "limits": self._limits.model_dump_json()})
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        finally:
            results.unlink(missing_ok=True)

    def _call(self, request: dict[str, Any]) -> None:
        """Send the request to the child; a child that has received passwords is closed after the document."""
        try:
            self._sandbox.call(request)
        except DocumentError as error:
            passwords = pdf_passwords() if error.kind is FailureKind.ENCRYPTED else ()
            if not passwords:
                raise
            try:
                self._sandbox.call({**request, "passwords": list(passwords)})
            finally:
                self._sandbox.close()

    def close(self) -> None:
        """End the child. A later call starts a new one."""
        self._sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _write_results(path: Path, pages: Iterable[PageResult]) -> None:
    """Write the pages to a file, because a long document is too large for one request."""
    with path.open("w", encoding="utf-8") as lines:
        for page in pages:
            if page.failure is not None and page.pagenum is None:
                raise DocumentError(page.failure.kind, page.failure.message)
            fields, _ = replace(page, overlay=None).to_wire()
            lines.write(json.dumps(fields) + "\n")

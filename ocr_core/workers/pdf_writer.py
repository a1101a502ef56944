"""Searchable PDFs made in a supervised child process, which it keeps from one document to the next."""

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
"""A document may take as long as so many pages may be read: two hundred pages are copied in the time of one."""


class PdfWriter:
    """Writes searchable PDFs, as `searchable_pdf` does, where a damaged document can harm nothing but its process.

    Args:
        limits: What one page may cost when it is read; a document gets ten times the seconds.
    """

    def __init__(self, limits: LimitOptions | None = None) -> None:
        limits = limits or LimitOptions()
        seconds = {name: getattr(limits, name) * _PAGES_WORTH for name in ("page_seconds", "page_cpu_seconds")}
        self._limits = limits.model_copy(update=seconds)
        self._sandbox = Sandbox(HANDLER, self._limits)

    def write(self, source: Path, pages: Iterable[PageResult], target: Path) -> None:
        """Writes the searchable PDF of one document.

        Args:
            source: The document that was read: a PDF or an image. It must not change meanwhile.
            pages: Its results.
            target: The file to write; there is none after an error.

        Raises:
            DocumentError: `encrypted`, `corrupt` or `limit`; when no page could be read, what its failure says;
                or what became of the child: `timeout`, `memory`, `crash`, `internal`.
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
        """Has the child write; one that was told passwords, as the document needs one, is given no other."""
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
        """Ends the child. A later call starts a new one."""
        self._sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _write_results(path: Path, pages: Iterable[PageResult]) -> None:
    """Puts the pages into a file: those of a long document are too much for one request."""
    with path.open("w", encoding="utf-8") as lines:
        for page in pages:
            if page.failure is not None and page.pagenum is None:
                raise DocumentError(page.failure.kind, page.failure.message)
            fields, _ = replace(page, overlay=None).to_wire()
            lines.write(json.dumps(fields) + "\n")

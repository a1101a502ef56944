"""Page work from its caller's side: every page an answer, whatever the document does to its process."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ocr_core.errors import DocumentError, FailureKind
from ocr_core.limits import LimitOptions
from ocr_core.options import PipelineOptions
from ocr_core.page import DocumentInfo, Failure, PageResult
from ocr_core.passwords import pdf_passwords
from ocr_core.sandbox import Sandbox

HANDLER = "ocr_core.page_handler:handle"


class PageWorker:
    """Probes files and processes pages in one sandboxed child, which it keeps.

    Args:
        options: What happens to a page, unless a call says otherwise.
        limits: What one page or file may cost.
        passwords: Tried in order on PDFs that need one; None: those of the environment, see `pdf_passwords`.
    """

    def __init__(
        self,
        options: PipelineOptions | None = None,
        limits: LimitOptions | None = None,
        passwords: Sequence[str] | None = None,
    ) -> None:
        self.options = options or PipelineOptions()
        self._passwords = passwords
        self._entrusted: str | None = None
        self.limits = limits or LimitOptions()
        self._limits_json = self.limits.model_dump_json()
        self._sandbox = Sandbox(HANDLER, self.limits, _first(self.options))

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while there is none."""
        return self._sandbox.pid

    def start(self) -> None:
        """Starts the child now instead of at the first call. Raises EnvironmentFault if it cannot start."""
        self._sandbox.start()

    def probe(self, path: str | Path) -> DocumentInfo:
        """Says what a file is and how many pages it has.

        Raises:
            DocumentError: `empty`, `unsupported`, `limit`, `corrupt`, `encrypted`, `unreadable`; or what
                became of the child: `timeout`, `memory`, `crash`, `internal`.
            EnvironmentFault: If the child cannot start.
        """
        reply, _ = self._call({"op": "probe", **self._file(path)})
        try:
            info = DocumentInfo(str(reply["format"]), int(reply["pages"]), tuple(map(str, reply["notes"])))
        except (KeyError, TypeError, ValueError):
            raise _malformed() from None
        if not 1 <= info.pages <= self.limits.max_pages:
            raise _malformed()
        return info

    def page(
        self,
        path: str | Path,
        pagenum: int,
        total_pages: int | None = None,
        options: PipelineOptions | None = None,
    ) -> PageResult:
        """Processes one page; every fault of the document is a result with `failure`.

        Args:
            path: The file, which must not change meanwhile.
            pagenum: 0-based.
            total_pages: What the probe said; stated in the result even when the file cannot be opened again.
            options: In place of the worker's own; cheap while they stay the same.

        Raises:
            ConfigError: For what only the engine knows to be wrong, such as an unknown Tesseract variable.
            EnvironmentFault: If this machine lacks something.
        """
        started = time.perf_counter()
        request = {
            "op": "page",
            "pagenum": pagenum,
            "options": (options or self.options).canonical(),
            **self._file(path),
        }
        try:
            result = _checked(*self._call(request))
        except DocumentError as error:
            result = PageResult(pagenum, total_pages, failure=Failure(error.kind, error.message))
        elapsed = (time.perf_counter() - started) * 1000
        return replace(
            result,
            pagenum=pagenum,
            total_pages=result.total_pages if total_pages is None else total_pages,
            processing_ms=elapsed,
        )

    def close(self) -> None:
        """Ends the child. A later call starts a new one."""
        self._sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """Has the child answer; it is told passwords only for a PDF that needs one, and then opens no other file.

        A decoder that the next file takes over finds no passwords in its memory.
        """
        path = request["path"]
        if self._entrusted not in (None, path):
            self._sandbox.close()
            self._entrusted = None
        try:
            return self._sandbox.call(request)
        except DocumentError as error:
            if error.kind is not FailureKind.ENCRYPTED:
                raise
            passwords = pdf_passwords() if self._passwords is None else self._passwords
            if not passwords:
                raise
        self._entrusted = path
        return self._sandbox.call({**request, "passwords": list(passwords)})

    def _file(self, path: str | Path) -> dict[str, Any]:
        return {"path": os.path.abspath(path), "limits": self._limits_json}  # noqa: PTH100 - keeps `..` and links


def _first(options: PipelineOptions) -> dict[str, Any] | None:
    """What a child loads while it starts: a model that is larger than what one page may take."""
    return {"op": "load", "options": options.canonical()} if options.loads_model else None


def _checked(fields: dict[str, Any], overlay: bytes) -> PageResult:
    """Rebuilds a result from a child that may be compromised: sound types and text, or a `crash`."""
    try:
        result = PageResult.from_wire(fields, overlay)
        numbers = (result.width, result.height, result.resolution)
        read = (candidate.text for decision in result.routing for candidate in decision.candidates)
        texts = (result.text, result.engine, *result.notes, *(region.text for region in result.regions), *read)
        sound = (
            all(value is None or type(value) is int for value in numbers)
            and all(value is None or isinstance(value, str) for value in texts)
            and isinstance(result.confidence, float | int | None)
            and (result.text is None) == (result.failure is not None)
            and result.overlay_format in ((None,) if result.overlay is None else ("jpeg", "png", "webp"))
        )
        "".join(text or "" for text in texts).encode()
    except (ValueError, TypeError, KeyError, AttributeError):
        sound = False
    if not sound:
        raise _malformed()
    return result


def _malformed() -> DocumentError:
    return DocumentError(FailureKind.CRASH, "the page's process answered with what is no result")

"""The caller's side of page work: every page gets a result, whatever the document does to its process."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from inkstream.ocr_core.documents.passwords import pdf_passwords
from inkstream.ocr_core.engines.registry import has_own_process, uses_of
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import DocumentInfo, Failure, PageResult
from inkstream.ocr_core.sandbox.process import Cost
from inkstream.ocr_core.sandbox.supervisor import Sandbox
from inkstream.ocr_core.workers.crop_wire import unpack_crops
from inkstream.ocr_core.workers.line_worker import TOGETHER, LineWorker

if TYPE_CHECKING:
    from inkstream.ocr_core.engines.line_reader import Reading
    from inkstream.ocr_core.pixels import Pixels

HANDLER = "inkstream.ocr_core.workers.page_handler:handle"

_LEAST_SECONDS = 1.0
"""Time to finish a page that has used up its limit."""


@dataclass(frozen=True, slots=True)
class BegunPage:
    """A page whose lines wait to be read.

    Attributes:
        pagenum: 0-based.
        total_pages: Pages of its file, if known.
        state: What a page process needs to finish the page; opaque to the caller.
        crops: Upright pictures of one line each.
        milliseconds: Wall time spent on it so far.
    """

    pagenum: int
    total_pages: int | None
    state: str
    crops: Sequence[Pixels]
    milliseconds: float

    @property
    def size(self) -> int:
        """Bytes of its crops."""
        return sum(crop.size for crop in self.crops)


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page whose lines were read and that waits to be finished.

    Attributes:
        pagenum: 0-based.
        total_pages: Pages of its file, if known.
        state: From the `BegunPage`.
        readings: One per crop, or the error.
        milliseconds: Wall time spent on it so far.
    """

    pagenum: int
    total_pages: int | None
    state: str
    readings: list[Reading] | DocumentError
    milliseconds: float


def read_lines(worker: LineWorker, pages: Sequence[BegunPage]) -> list[ReadPage]:
    """Read the lines of pages together, and add to each page its share of the time. See `LineWorker.read`."""
    if not pages:
        return []
    started = time.perf_counter()
    most = worker.limits.page_seconds
    seconds = [max(_LEAST_SECONDS, most - page.milliseconds / 1000) for page in pages]
    answers = worker.read([page.crops for page in pages], seconds)
    share = _since(started) / sum(len(page.crops) for page in pages)
    return [
        ReadPage(page.pagenum, page.total_pages, page.state, answer, page.milliseconds + share * len(page.crops))
        for page, answer in zip(pages, answers, strict=True)
    ]


class PageWorker:
    """Probes files and processes pages in one sandboxed child, which it keeps.

    An engine that runs in a process of its own (`has_own_process`) gets a second child, which never sees a document and
    stays when the first is replaced.

    Args:
        options: Options for all pages, unless a call overrides them.
        limits: Limits for one page or file.
        passwords: Tried in order on PDFs that need one; None for those of the environment, see `pdf_passwords`.
        lines: A shared line worker to use instead of an own child; its creator closes it.
    """

    def __init__(
        self,
        options: PipelineOptions | None = None,
        limits: LimitOptions | None = None,
        passwords: Sequence[str] | None = None,
        lines: LineWorker | None = None,
    ) -> None:
        self.options = options or PipelineOptions()
        self._passwords = passwords
        self._entrusted: str | None = None
        self.limits = limits or LimitOptions()
        self._limits_json = self.limits.model_dump_json()
        self._sandbox = Sandbox(HANDLER, self.limits, _first(self.options))
        self._lines, self._own_lines = lines, lines is None

    @property
    def pid(self) -> int | None:
        """The child's process id, or None while there is none."""
        return self._sandbox.pid

    @property
    def model_pid(self) -> int | None:
        """The process id of the child that reads lines, or None while there is none."""
        return self._lines.pid if self._lines else None

    def start(self) -> None:
        """Start the children now instead of at the first call.

        Raises:
            EnvironmentFault: If a child cannot start.
        """
        self._sandbox.start()
        if has_own_process(self.options):
            self._line_worker(self.options).start()

    def probe(self, path: str | Path) -> DocumentInfo:
        """Return a file's format and number of pages.

        Raises:
            DocumentError: `empty`, `unsupported`, `limit`, `corrupt`, `encrypted`, `unreadable`; or if the child
                failed: `timeout`, `memory`, `crash`, `internal`.
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
        """Process one page; any fault in the document becomes a result with `failure`.

        Args:
            path: The file, which must not change in the meantime.
            pagenum: 0-based.
            total_pages: From the probe; copied to the result even if the file cannot be opened again.
            options: Override the worker's options; cheap as long as they stay the same.

        Raises:
            ConfigError: If the engine rejects an option, such as an unknown Tesseract variable.
            EnvironmentFault: If this machine lacks something that the options need.
        """
        return self.pages(path, [pagenum], total_pages, options)[0]

    def pages(
        self,
        path: str | Path,
        pagenums: Sequence[int],
        total_pages: int | None = None,
        options: PipelineOptions | None = None,
    ) -> list[PageResult]:
        """Process pages of one file in the given order; lines of several pages are read together. See `page`."""
        options = options or self.options
        if not has_own_process(options):
            pages = [self._on_page("page", path, pagenum, total_pages, options) for pagenum in pagenums]
            return [page for page in pages if isinstance(page, PageResult)]
        results: list[PageResult] = []
        waiting: list[PageResult | BegunPage] = []
        for pagenum in pagenums:
            waiting.append(self.begin(path, pagenum, total_pages, options))
            if sum(begun.size for begun in waiting if isinstance(begun, BegunPage)) > TOGETHER:
                results += self._read_and_finish(path, waiting, options)
                waiting = []
        return results + self._read_and_finish(path, waiting, options)

    def begin(
        self,
        path: str | Path,
        pagenum: int,
        total_pages: int | None = None,
        options: PipelineOptions | None = None,
    ) -> PageResult | BegunPage:
        """Process one page up to the reading of its lines, or completely if it has no lines to read. See `page`."""
        return self._on_page("begin", path, pagenum, total_pages, options or self.options)

    def finish(self, path: str | Path | None, begun: ReadPage, options: PipelineOptions | None = None) -> PageResult:
        """Finish a page whose lines were read; any worker with the same options can do it.

        Args:
            path: The file; only needed if the page is drawn.
            begun: The page with its readings.
            options: As in `page`.
        """
        options = options or self.options
        request = {
            "op": "finish",
            "pagenum": begun.pagenum,
            "options": options.canonical(),
            "state": begun.state,
            "readings": [],
            **self._file(path or ""),
        }
        started = time.perf_counter()
        try:
            if isinstance(begun.readings, DocumentError):
                raise begun.readings
            request["readings"] = [reading.to_list() for reading in begun.readings]
            left = max(_LEAST_SECONDS, self.limits.page_seconds - begun.milliseconds / 1000)
            result = _checked(*self._call(request, Cost(left, self.limits.page_cpu_seconds)))
        except DocumentError as error:
            result = PageResult(begun.pagenum, begun.total_pages, failure=Failure(error.kind, error.message))
        return _stated(result, begun.pagenum, begun.total_pages, begun.milliseconds + _since(started))

    def close(self) -> None:
        """End the children. A later call starts new ones."""
        self._sandbox.close()
        self._close_lines()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_page(
        self, op: str, path: str | Path, pagenum: int, total_pages: int | None, options: PipelineOptions
    ) -> PageResult | BegunPage:
        started = time.perf_counter()
        request = {"op": op, "pagenum": pagenum, "options": options.canonical(), **self._file(path)}
        try:
            reply, blob = self._call(request)
            if op == "begin" and "state" in reply:
                return _begun(reply, blob, pagenum, total_pages, _since(started))
            result = _checked(reply, blob)
        except DocumentError as error:
            result = PageResult(pagenum, total_pages, failure=Failure(error.kind, error.message))
        return _stated(result, pagenum, total_pages, _since(started))

    def _read_and_finish(
        self, path: str | Path, pages: Sequence[PageResult | BegunPage], options: PipelineOptions
    ) -> list[PageResult]:
        read = iter(read_lines(self._line_worker(options), [page for page in pages if isinstance(page, BegunPage)]))
        return [page if isinstance(page, PageResult) else self.finish(path, next(read), options) for page in pages]

    def _line_worker(self, options: PipelineOptions) -> LineWorker:
        if self._lines is None or self._lines.options != options.recognize:
            self._close_lines()
            self._lines, self._own_lines = LineWorker(options.recognize, self.limits), True
        return self._lines

    def _close_lines(self) -> None:
        if self._lines is not None and self._own_lines:
            self._lines.close()

    def _call(self, request: dict[str, Any], cost: Cost | None = None) -> tuple[dict[str, Any], bytes]:
        """Send a request to the child; include passwords only for a PDF that needs one.

        A child that has received passwords opens no other file, so a malicious file cannot find them in its memory.
        """
        path = request["path"]
        if self._entrusted not in (None, path):
            self._sandbox.close()
            self._entrusted = None
        try:
            return self._sandbox.call(request, cost=cost)
        except DocumentError as error:
            if error.kind is not FailureKind.ENCRYPTED:
                raise
            passwords = pdf_passwords() if self._passwords is None else self._passwords
            if not passwords:
                raise
        self._entrusted = path
        return self._sandbox.call({**request, "passwords": list(passwords)}, cost=cost)

    def _file(self, path: str | Path) -> dict[str, Any]:
        return {"path": os.path.abspath(path), "limits": self._limits_json}  # noqa: PTH100 - keeps `..` and links


def _first(options: PipelineOptions) -> dict[str, Any] | None:
    """Return the request that opens a child's models at start-up, so that no page is charged for it."""
    loads = any(use.load is not None for use in uses_of(options))
    return {"op": "load", "options": options.canonical()} if loads else None


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000


def _stated(result: PageResult, pagenum: int, total_pages: int | None, milliseconds: float) -> PageResult:
    """Return a result with the values that the caller knows better than the child."""
    total_pages = result.total_pages if total_pages is None else total_pages
    return replace(result, pagenum=pagenum, total_pages=total_pages, processing_ms=milliseconds)


def _begun(reply: dict[str, Any], blob: bytes, pagenum: int, total_pages: int | None, spent: float) -> BegunPage:
    try:
        crops = unpack_crops(reply["shapes"], blob)
    except (KeyError, ValueError):
        raise _malformed() from None
    if not isinstance(reply["state"], str) or not crops:
        raise _malformed()
    return BegunPage(pagenum, total_pages, reply["state"], crops, spent)


def _checked(fields: dict[str, Any], overlay: bytes) -> PageResult:
    """Rebuild a result from a child that may be compromised.

    Raises:
        DocumentError: `crash` if types are wrong or texts are not valid UTF-8.
    """
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
    return DocumentError(FailureKind.CRASH, "the page's process sent a malformed result")

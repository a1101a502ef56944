"""Page work inside the sandbox's child, which keeps the last document open and its pipeline ready."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np  # noqa: F401 - imported here so that it counts as start-up, not as the first page
import pypdfium2  # noqa: F401

import inkstream.ocr_core.documents.images
import inkstream.ocr_core.documents.pdf
import inkstream.ocr_core.stages.draw.stage
import inkstream.ocr_core.stages.recognize  # noqa: F401
from inkstream.ocr_core.documents.document import Document
from inkstream.ocr_core.documents.opening import open_document
from inkstream.ocr_core.engines.line_reader import Reading
from inkstream.ocr_core.engines.registry import uses_of
from inkstream.ocr_core.errors import DocumentError, FailureKind
from inkstream.ocr_core.options import PipelineOptions
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.page import PageResult
from inkstream.ocr_core.pipeline.build import build_pipeline
from inkstream.ocr_core.pipeline.paused import PausedPage, begin, finish
from inkstream.ocr_core.pipeline.pipeline import Pipeline
from inkstream.ocr_core.workers.crop_wire import CROPS_MOST, pack_crops


class _Kept:
    """The pipeline and the open document, kept from one request to the next."""

    def __init__(self) -> None:
        self.options = ""
        self.pipeline: Pipeline | None = None
        self.version: tuple[Any, ...] = ()
        self.document: Document | None = None

    def pipeline_for(self, options: str) -> Pipeline:
        if self.pipeline is None or options != self.options:
            self.pipeline = build_pipeline(PipelineOptions.model_validate_json(options))
            self.options = options
        return self.pipeline

    def document_for(self, path: str, limits: str, passwords: Sequence[str]) -> Document:
        try:
            stat = Path(path).stat()
            version: tuple[Any, ...] = (
                path,
                stat.st_dev,
                stat.st_ino,
                stat.st_size,
                stat.st_mtime_ns,
                limits,
            )
        except OSError:
            version = (path, None)
        if self.document is None or version != self.version:
            self.drop_document()
            self.document = open_document(path, LimitOptions.model_validate_json(limits), passwords)
            self.version = version
        return self.document

    def drop_document(self) -> None:
        if self.document is not None:
            self.document.close()
        self.document, self.version = None, ()


_kept = _Kept()


def handle(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Answer one request of `PageWorker`.

    Args:
        request: `op` is `load` (open what the options need), `probe`, `page`, `begin` (a page up to the reading of its
            lines) or `finish` (continue from there). All but `load` need `path` and `limits` (JSON); all but
            `probe` need `options` (JSON); pages need `pagenum`; `finish` needs the page's `state` and the `readings`.
            `passwords` is only present for a PDF that needs one.

    Returns:
        The result of the probe; for a page, its result in wire format, or `state` and `shapes` with the crops as bytes.

    Raises:
        DocumentError: If the file cannot be opened.
    """

    def document() -> Document:
        return _kept.document_for(request["path"], request["limits"], request.get("passwords", ()))

    if request["op"] == "load":
        _load(PipelineOptions.model_validate_json(request["options"]))
        return {}, b""
    if request["op"] == "probe":
        info = document().info
        return {"format": info.format, "pages": info.pages, "notes": info.notes}, b""
    pipeline, pagenum = _kept.pipeline_for(request["options"]), request["pagenum"]
    if request["op"] == "page":
        return _to_wire(pipeline.run(document(), pagenum))
    if request["op"] == "begin":
        made = begin(pipeline, document(), pagenum)
        return _paused_to_wire(made) if isinstance(made, PausedPage) else _to_wire(made)
    readings = [Reading.from_list(reading) for reading in request["readings"]]
    return _to_wire(finish(pipeline, request["state"], readings, pagenum, document))


def _load(options: PipelineOptions) -> None:
    """Open the models that this process uses for pages."""
    for use in uses_of(options):
        if use.load is not None:
            use.load()


def _to_wire(result: PageResult) -> tuple[dict[str, Any], bytes]:
    """Return a result in wire format. After a page that ran out of memory, ask for this process to be retired."""
    retire = result.failure is not None and result.failure.kind is FailureKind.MEMORY
    if retire:
        _kept.drop_document()
    fields, overlay = _clean(result).to_wire()
    return {**fields, "retire": retire}, overlay


def _paused_to_wire(paused: PausedPage) -> tuple[dict[str, Any], bytes]:
    size = sum(crop.size for crop in paused.crops)
    if size > CROPS_MOST:
        raise DocumentError(
            FailureKind.LIMIT,
            f"the page's line crops have {size >> 20} MiB of pixels, but at most {CROPS_MOST >> 20} MiB can be passed "
            "to the model's process; lower render.resolution or render.max_pixels",
        )
    shapes, blob = pack_crops(paused.crops)
    return {"state": paused.state, "shapes": shapes}, blob


def _clean(result: PageResult) -> PageResult:
    """Replace lone surrogates, which come from broken fonts and odd file names and are not valid UTF-8."""
    result = replace(result, notes=tuple(map(_encodable, result.notes)))
    if result.failure is not None:
        failure = replace(result.failure, message=_encodable(result.failure.message))
        return replace(result, failure=failure)
    routing = tuple(
        replace(one, candidates=tuple(replace(c, text=_encodable(c.text)) for c in one.candidates))
        for one in result.routing
    )
    result = replace(result, routing=routing)
    if result.text is None or result.text == _encodable(result.text):
        return result
    regions = tuple(replace(r, text=None if r.text is None else _encodable(r.text)) for r in result.regions)
    return replace(result, text=_encodable(result.text), regions=regions)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")

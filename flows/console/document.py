"""What one document looks like."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from flows.console.text import print_json, visible

if TYPE_CHECKING:
    from ocr_core.page import PageResult
    from tasks.config import StreamConfig


def print_document(file: Path, config: StreamConfig, *, as_json: bool) -> bool:
    """Reads one document and prints it; returns whether a page failed."""
    from ocr_core import read_document
    from ocr_core.environment import require_environment

    require_environment(config.pipeline)
    failed = False
    for result in read_document(file, config.pipeline, limits=config.execution.limits):
        failed = failed or result.failure is not None
        if as_json:
            print_json(_page_json(result))
        elif result.failure is not None:
            where = "" if result.pagenum is None else f" page {result.pagenum}"
            Console(stderr=True, soft_wrap=True).print(
                f"{file}{where}: {result.failure.kind}: {result.failure.message}", markup=False
            )
        else:
            text = str(result.text)
            shown = visible(text, keep="\n\t") if sys.stdout.isatty() else text
            sys.stdout.write(f"{chr(12) if result.pagenum else ''}{shown}\n")
    sys.stdout.flush()
    return failed


def _page_json(result: PageResult) -> dict[str, Any]:
    fields, _ = result.to_wire()
    fields["regions"] = [
        {
            "index": r.index,
            "parent": r.parent,
            "level": r.level.value,
            "box": dataclasses.asdict(r.box),
            "text": r.text,
            "confidence": r.confidence,
            "engine": r.engine,
        }
        for r in result.regions
    ]
    failure = fields.pop("failure")
    fields["exception_kind"], fields["exception"] = failure or (None, None)
    del fields["overlay_format"]
    return fields

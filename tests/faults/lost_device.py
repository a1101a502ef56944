"""The handler of the model's process, with a device that is lost when the first lines are read."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from inkstream.ocr_core.engines.line_reader import DeviceLostError, LineReader, Reading
from inkstream.ocr_core.engines.registry import open_line_reader
from inkstream.ocr_core.workers import line_handler

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RecognizeOptions
    from inkstream.ocr_core.pixels import Pixels

MARK = "device-was-lost"
"""A file in the temporary folder by which the second process knows that there was a first."""


class OnceLost:
    """A reader like the one it wraps, but the first process that reads loses its device."""

    def __init__(self, reader: LineReader) -> None:
        self._reader = reader

    def warm_up(self) -> None:
        self._reader.warm_up()

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        mark = Path(tempfile.gettempdir(), MARK)
        if not mark.exists():
            mark.touch()
            raise DeviceLostError("CUDA error: unspecified launch failure")
        return self._reader.read(crops)


def _open(options: RecognizeOptions) -> LineReader:
    return OnceLost(open_line_reader(options))


def handle(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    with mock.patch.object(line_handler, "open_line_reader", _open):
        return line_handler.handle(request)

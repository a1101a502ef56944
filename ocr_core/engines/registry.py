"""The engines that read lines, one entry each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkstream.ocr_core.engines.first_use import first_use

if TYPE_CHECKING:
    from inkstream.ocr_core.options import RecognizeOptions
from inkstream.ocr_core.engines.line_reader import LineReader


def open_line_reader(options: RecognizeOptions) -> LineReader:
    """Opens the engine that `options.line_reader` names and has it look at something before any page does.

    The model of TrOCR is loaded once in a process.

    Raises:
        EnvironmentFault: If its model, or what runs it, is not there or does not work.
        ConfigError: If an option is none that it takes.
    """
    engine = options.line_reader
    with first_use(f"the model of the engine {engine}", f"recognize.{engine}.model"):
        reader = _open(options)
        reader.warm_up()
    return reader


def _open(options: RecognizeOptions) -> LineReader:
    if options.line_reader == "trocr":
        from inkstream.ocr_core.engines.trocr.reader import open_reader

        return open_reader(options.trocr)
    from inkstream.ocr_core.engines.ppocr.recognizer import PpocrReader

    return PpocrReader(options.ppocr)

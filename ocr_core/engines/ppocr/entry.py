"""PP-OCR's registry entries: a finder of lines and a reader of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkstream.ocr_core.engines.entry import LineEngine, RegionFinder, checked
from inkstream.ocr_core.engines.ppocr import ENGINE
from inkstream.ocr_core.engines.ppocr.models import INSTALL, find_model
from inkstream.ocr_core.engines.versions import file_hash, package_version
from inkstream.ocr_core.options.lines import PpocrOptions
from inkstream.ocr_core.options.recognize import DetectOptions, RecognizeOptions

if TYPE_CHECKING:
    from pathlib import Path

    from inkstream.ocr_core.engines.line_reader import LineReader
    from inkstream.ocr_core.page import Region
    from inkstream.ocr_core.pixels import Pixels


def _open(options: PpocrOptions) -> LineReader:
    from inkstream.ocr_core.engines.ppocr.recognizer import PpocrReader

    return PpocrReader(options)


def _versions(options: PpocrOptions) -> dict[str, str]:
    words = {"pyspellchecker": package_version("pyspellchecker")} if options.lexicon else {}
    return {**_model_versions("rec", find_model("rec", options.model)), **words}


def _model_versions(kind: str, model: Path) -> dict[str, str]:
    named = f"{model.stem} {file_hash(model)}"
    return {f"model:ppocr-{kind}": named, "onnxruntime": package_version("onnxruntime")}


def _find(pixels: Pixels, _resolution: int, detect: DetectOptions, _options: RecognizeOptions) -> tuple[Region, ...]:
    from inkstream.ocr_core.engines.ppocr.finder import find_lines

    return find_lines(pixels, detect)


def _load(detect: DetectOptions) -> None:
    from inkstream.ocr_core.engines.ppocr.dbnet import warm_up

    warm_up(detect)


PPOCR = LineEngine(
    name=ENGINE,
    options=PpocrOptions,
    checks=lambda options: [checked("ppocr recogniser", lambda: find_model("rec", options.model))],
    versions=_versions,
    requires=("onnxruntime", "cv2", "spellchecker"),
    install=INSTALL,
    not_in_fingerprint=frozenset({"model"}),
    open=_open,
    detect=DetectOptions(engine=ENGINE),
)

PPOCR_DETECTOR = RegionFinder(
    name=ENGINE,
    find=_find,
    checks=lambda detect, _options: [checked("ppocr detector", lambda: find_model("det", detect.model))],
    versions=lambda detect, _options: _model_versions("det", find_model("det", detect.model)),
    load=_load,
    not_in_fingerprint=frozenset({"model"}),
)

"""The cost of PP-OCR per page, and how many words each cheaper way loses.

    python -m benchmarks.ppocr --samples DIR [--pages 12] [--letters 1] [--only NAME ...]

Each way reads the same pages in its own process on one thread: at most `--pages` samples (an image and its transcript,
as for `benchmarks.preprocess`) and `--letters` made scans of dense letters. Models are open before the clock starts, so
CPU seconds are what a page costs a worker that has been running for a while. Ways whose package is missing are left out
with a note: `pip install onnx` for int8, `pip install openvino` for OpenVINO.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engines import Page, made_pages
from benchmarks.preprocess import HEADING, Score, samples
from inkstream import PipelineOptions, build_pipeline, open_document
from inkstream.ocr_core.engines.line_reader import Reading
from inkstream.ocr_core.engines.ppocr.ctc import Posterior
from inkstream.ocr_core.engines.ppocr.models import Kind, find_model
from inkstream.ocr_core.engines.ppocr.recognizer import HEIGHT, LinePicture, PpocrReader, picture
from inkstream.ocr_core.options import PpocrOptions
from inkstream.ocr_core.pipeline.pipeline import Pipeline
from inkstream.ocr_core.stages.read_lines import ReadLines

Read = Callable[[Path], str]

OPTIONS = PpocrOptions(scripts=("latin",))


def rapidocr(_: Path) -> Read:
    """Return the reader of the package rapidocr with its defaults, except for the number of threads."""
    from rapidocr import RapidOCR

    threads = {f"EngineConfig.onnxruntime.{kind}_op_num_threads": 1 for kind in ("intra", "inter")}
    engine: Callable[[str], Any] = RapidOCR(params={"Global.log_level": "error", **threads})
    return lambda path: "\n".join(engine(str(path)).txts or ())


def inkstream(_: Path, **detect: Any) -> Read:
    """Return this project's reader, with options of detection."""
    return partial(_read, _pipeline(detect))


def int8(operators: Sequence[str] | None, folder: Path) -> Read:
    """Return a reader with dynamically quantised 8-bit weights in operators of some types; None for all types."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    def quantised(kind: Kind) -> str:
        path = folder / f"{kind}.onnx"
        quantize_dynamic(
            find_model(kind), path, op_types_to_quantize=operators, per_channel=True, weight_type=QuantType.QInt8
        )
        return str(path)

    reader = PpocrReader(OPTIONS.model_copy(update={"model": quantised("rec")}))
    return partial(_read, _pipeline({"model": quantised("det")}, reader))


def in_batches(size: int, by_length: bool, _: Path) -> Read:
    """Return a reader of lines in batches, each padded to its longest line."""
    return partial(_read, _pipeline({}, Batches(size, by_length)))


def openvino(precision: str, _: Path) -> Read:
    """Return a reader of lines with OpenVINO; they are found as usual, a fifteenth of the work on a letter."""
    return partial(_read, _pipeline({}, OpenVino(precision)))


class Batches(PpocrReader):
    """A reader of several lines at a time.

    Args:
        size: Most lines in a batch.
        by_length: Put lines of similar length together, instead of keeping their order.
    """

    def __init__(self, size: int, by_length: bool) -> None:
        super().__init__(OPTIONS)
        self._size, self._by_length = size, by_length

    def read(self, crops: Sequence[Any]) -> list[Reading]:
        """Read crops of single lines."""
        lines = [picture(crop) for crop in crops]
        order = list(range(len(lines)))
        if self._by_length:
            order.sort(key=lambda index: lines[index].shape[2])
        found: dict[int, Posterior] = {}
        for start in range(0, len(order), self._size):
            batch = order[start : start + self._size]
            found.update(zip(batch, self._together([lines[index] for index in batch]), strict=True))
        return [self.decode([found[index]]) for index in range(len(lines))]

    def _together(self, lines: list[LinePicture]) -> list[Posterior]:
        widest = max(line.shape[2] for line in lines)
        padded = np.zeros((len(lines), 3, HEIGHT, widest), np.float32)
        for row, line in zip(padded, lines, strict=True):
            row[:, :, : line.shape[2]] = line
        answers = self._session.run(None, {self._input: padded})[0]
        steps = [max(1, round(answers.shape[1] * line.shape[2] / widest)) for line in lines]
        return [answer[:count][:, self._kept] for answer, count in zip(answers, steps, strict=True)]


class OpenVino(PpocrReader):
    """A reader of lines with OpenVINO.

    Args:
        precision: `f32` or `bf16`.
    """

    def __init__(self, precision: str) -> None:
        from openvino import Core

        super().__init__(OPTIONS)
        settings = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": precision}
        self._request = Core().compile_model(find_model("rec"), "CPU", settings).create_infer_request()

    def look(self, line: LinePicture) -> Posterior:
        """Run the network on one line."""
        answer: Posterior = np.array(self._request.infer([line[None]])[0][0])
        return answer[:, self._kept]


WAYS: dict[str, tuple[Callable[[Path], Read], str]] = {
    "rapidocr as it comes": (rapidocr, "rapidocr"),
    "inkstream": (inkstream, "rapidocr"),
    **{
        f"detection width {width}": (partial(inkstream, width=width), "rapidocr") for width in (640, 960, 1600, 2000, 0)
    },
    "batches of 8": (partial(in_batches, 8, False), "rapidocr"),
    "batches of 8, by length": (partial(in_batches, 8, True), "rapidocr"),
    "int8, matrices": (partial(int8, ["MatMul"]), "onnx"),
    "int8, all": (partial(int8, None), "onnx"),
    "OpenVINO, float32": (partial(openvino, "f32"), "openvino"),
    "OpenVINO, bfloat16": (partial(openvino, "bf16"), "openvino"),
}
"""For each way, a function that makes its reader, given a folder for files, and the package it needs."""


def _pipeline(detect: dict[str, Any], reader: PpocrReader | None = None) -> Pipeline:
    recognize = {"engine": "ppocr", "ppocr": OPTIONS.model_dump()}
    made = build_pipeline(
        PipelineOptions.model_validate({"detect": {"engine": "ppocr", **detect}, "recognize": recognize})
    )
    if reader is None:
        return made
    stages = [
        replace(stage, open_reader=lambda: reader) if isinstance(stage, ReadLines) else stage for stage in made.stages
    ]
    return Pipeline(stages)


def _read(pipeline: Pipeline, path: Path) -> str:
    with open_document(path) as document:
        result = pipeline.run(document, 0)
    if result.failure:
        raise RuntimeError(f"{path}: {result.failure.message}")
    return result.text or ""


def measure(name: str, kinds: list[list[Page]]) -> tuple[list[Score], int]:
    """Read pages of several kinds in one way.

    Returns:
        A score for each kind, and the peak memory of the process in MiB.
    """
    with tempfile.TemporaryDirectory() as folder:
        read = WAYS[name][0](Path(folder))
        read(kinds[0][0].path)
        scores = [Score() for _ in kinds]
        for score, pages in zip(scores, kinds, strict=True):
            for page in pages:
                started = time.process_time()
                text = read(page.path)
                score.add(page.truth, text, time.process_time() - started)
    return scores, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Print one line per way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=12, help="most samples")
    parser.add_argument("--letters", type=int, default=1, help="number of made pages")
    parser.add_argument("--only", nargs="*", default=list(WAYS), choices=list(WAYS))
    arguments = parser.parse_args()
    found = [Page(path, truth) for path, truth in samples(arguments.samples).items()][: arguments.pages]
    with tempfile.TemporaryDirectory() as folder:
        kinds = [found, made_pages(Path(folder), arguments.letters)]
        print(f"{'':24}{len(found):4} samples{'':12}{arguments.letters:4} letters")
        print(f"{'':24}{HEADING}{HEADING}{'MiB':>7}")
        for name in arguments.only:
            if find_spec(WAYS[name][1]) is None:
                print(f"{name:24}  needs the package {WAYS[name][1]}", flush=True)
                continue
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                scores, memory = pool.apply(measure, (name, kinds))
            print(f"{name:24}{scores[0]}{scores[1]}{memory:7}", flush=True)


if __name__ == "__main__":
    main()

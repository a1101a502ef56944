"""Lines per second of the TrOCR reader, and whether it reads the same as the plain loop in the model's documentation.

Speed: both read the same lines with the same model, which has the shape of microsoft/trocr-small-handwritten and random
weights; its speed is that of the trained model. Each line is decoded to the same length. CPU time is measured in one
process on one thread. Wall time is measured with all processors: the loop in one process whose torch has a thread for
each, the reader as in a run, in one single-threaded process for each. With `--device cuda`, only wall time is measured,
each contender in one process that has the GPU to itself.

Sameness: the decisions of random weights are too close to compare, so a small model of the same architecture is first
trained on a few shifted and noisy lines, and then reads many other such pictures of them.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

_Read = Callable[[list[Any]], list[str]]
"""Crops of lines in, texts out."""
_LOOP = "plain loop"
_TOKENS = 24
_WORDS = ("the", "river", "rose", "again", "Tuesday", "ferry", "Margaret", "by", "train", "seven")

_SENTENCES = (
    "Dear Margaret,",
    "the river rose again on Tuesday",
    "and the ferry did not run.",
    "Come by train: 07:45",
    "No",
)


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trocr", description=__doc__)
    parser.add_argument(
        "--lines", type=int, default=16, metavar="N", help="lines that each contender reads to measure speed"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="how often each reads them; the best round counts"
    )
    parser.add_argument("--batch-size", type=int, default=16, metavar="N", help="lines that the model reads together")
    parser.add_argument(
        "--processors", type=int, default=os.cpu_count() or 1, metavar="N", help="processors to use for wall time"
    )
    parser.add_argument("--pictures", type=int, default=300, metavar="N", help="lines read to compare texts")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where the models run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded, as the model's process does
    processors = arguments.processors if arguments.device == "cpu" else 1
    work = _Work(arguments.lines, arguments.rounds, arguments.batch_size, processors, arguments.device)
    figures = compare(work)
    for name, (same, right) in sameness(arguments.pictures, work).items():
        figures[name] |= {"same": same, "right": right}
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, one in figures.items():
        speed = f"{one['lines_per_cpu_s']:6.2f} lines/CPU s  x{one['cpu_ratio']:.2f}  " if "cpu_ratio" in one else ""
        clock = f"{one['lines_per_s']:6.2f} lines/s on {work.processors} {work.device}  x{one['ratio']:.2f}"
        print(f"{name:12} {speed}{clock}  same text {one['same']:.1%}  right {one['right']:.1%}")


@dataclass(frozen=True, slots=True)
class _Work:
    """The work of each contender: how many lines it reads, how often, and where; the best round counts."""

    lines: int
    rounds: int
    batch_size: int
    processors: int
    device: str


def compare(work: _Work) -> dict[str, dict[str, float]]:
    """Return lines per CPU second (on the CPU) and lines per second of each contender, and the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder))
        names = list(_contenders(Path(folder), work))
        by_cpu = _alone(Path(folder), work) if work.device == "cpu" else {}
        by_clock = {name: _on_all_processors(name, Path(folder), work) for name in names}
    figures = {name: {"lines_per_s": by_clock[name], "ratio": by_clock[name] / by_clock[_LOOP]} for name in names}
    for name, speed in by_cpu.items():
        figures[name] |= {"lines_per_cpu_s": speed, "cpu_ratio": speed / by_cpu[_LOOP]}
    return figures


def _alone(folder: Path, work: _Work) -> dict[str, float]:
    crops = _crops(work.lines)
    best: dict[str, float] = {}
    contenders = {name: open_() for name, open_ in _contenders(folder, work).items()}
    for _ in range(work.rounds):
        for name, read in contenders.items():
            started = time.process_time()
            read(crops)
            best[name] = min(best.get(name, math.inf), time.process_time() - started)
    return {name: work.lines / seconds for name, seconds in best.items()}


def _on_all_processors(name: str, folder: Path, work: _Work) -> float:
    """Return lines per second of wall time; each process reads all lines."""
    processes, threads = (1, work.processors) if name == _LOOP else (work.processors, 1)
    read = partial(_read_in_a_process, name, folder, work, threads)
    best = math.inf
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        for number in range(1 + work.rounds):
            started = time.perf_counter()
            list(pool.map(read, range(processes)))
            if number:  # the first round opens the models
                best = min(best, time.perf_counter() - started)
    return processes * work.lines / best


def _read_in_a_process(name: str, folder: Path, work: _Work, threads: int, _: int) -> None:
    os.environ["OMP_NUM_THREADS"] = str(threads)  # works only if torch is not loaded yet
    _opened(name, folder, work)(_crops(work.lines))


@cache
def _opened(name: str, folder: Path, work: _Work) -> _Read:
    return _contenders(folder, work)[name]()


def sameness(pictures: int, work: _Work) -> dict[str, tuple[float, float]]:
    """Return for each contender the share of lines that it reads like the loop, and the share that it reads right."""
    from tests.unit.ocr_core.tiny_trocr import make_model as train

    rng = np.random.default_rng(4)
    known = [_picture(text) for text in _SENTENCES]
    order = [int(number) for number in rng.integers(0, len(known), pictures)]
    shown = [_disturbed(known[number], rng) for number in order]
    shares: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        train(_SENTENCES * 8, [_disturbed(picture, rng) for picture in known * 8], Path(folder), steps=600)
        expected: list[str] = []
        for name, open_ in _contenders(Path(folder), work).items():
            texts = open_()(shown)
            expected = expected or texts
            same = sum(one == other for one, other in zip(texts, expected, strict=True))
            right = sum(text == _SENTENCES[number] for text, number in zip(texts, order, strict=True))
            shares[name] = (same / pictures, right / pictures)
    return shares


def _contenders(folder: Path, work: _Work) -> dict[str, Callable[[], _Read]]:
    """Return functions that open the loop, and the reader in each number format of the device."""
    from inkstream.ocr_core.engines.trocr.processor import has_int8

    dtypes = ("float32", "bfloat16", "int8") if work.device == "cpu" and has_int8() else ("float32", "bfloat16")
    contenders: dict[str, Callable[[], _Read]] = {_LOOP: partial(_plain_loop, folder, work.device)}
    return contenders | {name: partial(_reader, folder, name, work) for name in dtypes}


def _reader(folder: Path, dtype: str, work: _Work) -> _Read:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader
    from inkstream.ocr_core.options import TrocrOptions

    options = {"model": str(folder), "device": work.device, "dtype": dtype, "batch_size": work.batch_size}
    reader = TrocrReader(TrocrOptions.model_validate({**options, "max_new_tokens": _TOKENS}))
    return lambda crops: [reading.text for reading in reader.read(crops)]


def _plain_loop(folder: Path, device: str) -> _Read:
    """Return a reader of one line at a time in float32, as the model card shows it."""
    import torch
    from PIL import Image
    from transformers import TrOCRProcessor, VisionEncoderDecoderModel

    processor = TrOCRProcessor.from_pretrained(folder, backend="pil")
    model = VisionEncoderDecoderModel.from_pretrained(folder).eval().to(device)

    def read(crop: Any) -> str:
        pixels = processor(images=Image.fromarray(crop).convert("RGB"), return_tensors="pt").pixel_values
        with torch.inference_mode():
            tokens = model.generate(pixels.to(device), max_new_tokens=_TOKENS, do_sample=False, num_beams=1)
        text: str = processor.batch_decode(tokens, skip_special_tokens=True)[0]
        return " ".join(text.split())

    return lambda crops: [read(crop) for crop in crops]


def make_model(folder: Path) -> None:
    """Save a model with the shape of TrOCR-small and random weights: DeiT-small, six decoder layers, 64 044 tokens."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import DeiTConfig, TrOCRProcessor
    from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil

    from tests.unit.ocr_core.tiny_trocr import model_of, tokenizer_of

    torch.manual_seed(3)
    encoder = DeiTConfig(
        hidden_size=384, num_hidden_layers=12, num_attention_heads=6, intermediate_size=1536, image_size=384
    )
    model = model_of(
        encoder,
        vocab_size=64044,
        d_model=256,
        cross_attention_hidden_size=384,
        decoder_layers=6,
        decoder_attention_heads=8,
        decoder_ffn_dim=1024,
        activation_function="relu",
        max_position_embeddings=512,
        layernorm_embedding=True,
        tie_word_embeddings=False,
    )
    model.save_pretrained(folder)
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, **{f"w{number}": number for number in range(4, 64044)}}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.decoder = decoders.Fuse()
    images = DeiTImageProcessorPil(size={"height": 384, "width": 384}, do_center_crop=False)
    TrOCRProcessor(images, tokenizer_of(core)).save_pretrained(folder)


def _crops(count: int) -> list[Any]:
    rng = np.random.default_rng(1)
    return [_picture(" ".join(rng.choice(_WORDS, rng.integers(2, 10)))) for _ in range(count)]


def _picture(text: str) -> Any:
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(size=48)
    picture = Image.new("RGB", (round(font.getlength(text)) + 30, 76), "ivory")
    ImageDraw.Draw(picture).text((15, 8), text, font=font, fill="navy")
    return np.asarray(picture)


def _disturbed(picture: Any, rng: np.random.Generator) -> Any:
    """Move a line by a few pixels and add a random amount of noise."""
    from tests.unit.ocr_core.tiny_trocr import vary

    moved = vary(picture, rng)
    noise = rng.normal(0, rng.uniform(0, 60), moved.shape)
    return np.clip(moved + noise, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    main()

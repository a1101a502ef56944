"""Lines a second of the TrOCR reader, against the plain loop of the model's own documentation.

Both read the same lines with the same model: the shape of microsoft/trocr-small-handwritten with random weights, whose
speed is that of the trained one. Each line is written to the same length, in one process on one thread, in CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_TOKENS = 24
_WORDS = ("the", "river", "rose", "again", "Tuesday", "ferry", "Margaret", "by", "train", "seven")


def main() -> None:
    """Prints the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trocr", description=__doc__)
    parser.add_argument("--lines", type=int, default=16, metavar="N", help="lines that each contender reads")
    parser.add_argument("--batch-size", type=int, default=8, metavar="N", help="lines that go through together")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded: so do the page processes
    figures = compare(arguments.lines, arguments.batch_size)
    if arguments.json:
        print(json.dumps(figures, indent=2))
        return
    for name, one in figures.items():
        print(f"{name:12} {one['lines_per_cpu_s']:6.2f} lines/CPU s  x{one['ratio']:.2f}  same text {one['same']:.0%}")


def compare(lines: int, batch_size: int) -> dict[str, dict[str, float]]:
    """Returns for each contender lines per CPU second, the ratio to the loop, and the share of lines read alike."""
    from ocr_core.engines.trocr.reader import TrocrReader
    from ocr_core.options import TrocrOptions

    crops = _crops(lines)
    with tempfile.TemporaryDirectory() as folder:
        make_model(Path(folder))
        readers = {
            dtype: TrocrReader(
                TrocrOptions(model=folder, device="cpu", dtype=dtype, batch_size=batch_size, max_new_tokens=_TOKENS)
            )
            for dtype in ("float32", "bfloat16")
        }
        loop = _plain_loop(Path(folder))
    contenders: dict[str, Callable[[], list[str]]] = {"plain loop": lambda: [loop(crop) for crop in crops]}
    for dtype, reader in readers.items():
        contenders[dtype] = lambda reader=reader: [reading.text for reading in reader.read(crops)]  # type: ignore[misc]
    figures: dict[str, dict[str, float]] = {}
    expected: list[str] = []
    for name, read in contenders.items():
        started = time.process_time()
        texts = [" ".join(text.split()) for text in read()]
        speed = lines / (time.process_time() - started)
        expected = expected or texts
        base = figures["plain loop"]["lines_per_cpu_s"] if figures else speed
        same = sum(one == other for one, other in zip(texts, expected, strict=True)) / lines
        figures[name] = {"lines_per_cpu_s": speed, "ratio": speed / base, "same": same}
    return figures


def _plain_loop(folder: Path) -> Callable[[Any], str]:
    """One line at a time in float32, as the model's page on the hub shows it."""
    import torch
    from PIL import Image
    from transformers import TrOCRProcessor, VisionEncoderDecoderModel

    processor = TrOCRProcessor.from_pretrained(folder, backend="pil")
    model = VisionEncoderDecoderModel.from_pretrained(folder).eval()

    def read(crop: Any) -> str:
        pixels = processor(images=Image.fromarray(crop).convert("RGB"), return_tensors="pt").pixel_values
        with torch.inference_mode():
            tokens = model.generate(pixels, max_new_tokens=_TOKENS, do_sample=False, num_beams=1)
        text: str = processor.batch_decode(tokens, skip_special_tokens=True)[0]
        return text

    return read


def make_model(folder: Path) -> None:
    """Saves a model with the shape of TrOCR-small: DeiT-small, six layers of decoder, 64 044 tokens; random weights."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        DeiTConfig,
        PreTrainedTokenizerFast,
        TrOCRConfig,
        TrOCRProcessor,
        VisionEncoderDecoderConfig,
        VisionEncoderDecoderModel,
    )
    from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil

    torch.manual_seed(3)
    encoder = DeiTConfig(
        hidden_size=384, num_hidden_layers=12, num_attention_heads=6, intermediate_size=1536, image_size=384
    )
    decoder = TrOCRConfig(
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
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        encoder, decoder, decoder_start_token_id=2, pad_token_id=1, eos_token_id=2
    )
    model = VisionEncoderDecoderModel(config=config)
    model.save_pretrained(folder)
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, **{f"w{number}": number for number in range(4, 64044)}}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    core.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    size = {"height": 384, "width": 384}
    TrOCRProcessor(DeiTImageProcessorPil(size=size, do_center_crop=False), tokenizer).save_pretrained(folder)


def _crops(count: int) -> list[Any]:
    from PIL import Image, ImageDraw, ImageFont

    rng = np.random.default_rng(1)
    font = ImageFont.load_default(size=48)
    crops = []
    for _ in range(count):
        text = " ".join(rng.choice(_WORDS, rng.integers(2, 10)))
        picture = Image.new("RGB", (round(font.getlength(text)) + 30, 76), "ivory")
        ImageDraw.Draw(picture).text((15, 8), text, font=font, fill="navy")
        crops.append(np.asarray(picture))
    return crops


if __name__ == "__main__":
    main()

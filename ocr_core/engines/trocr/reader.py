"""Reading lines with TrOCR models: an image transformer encodes, a text transformer decodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from inkstream.ocr_core.engines.line_reader import DeviceLostError, Reading
from inkstream.ocr_core.engines.trocr import processor
from inkstream.ocr_core.engines.trocr.confidence import Token, words_of_tokens
from inkstream.ocr_core.engines.trocr.models import find_model
from inkstream.ocr_core.errors import EnvironmentFault

if TYPE_CHECKING:
    import torch

    from inkstream.ocr_core.options import TrocrOptions
    from inkstream.ocr_core.pixels import Pixels

_FAINTEST = 16
"""Gray levels; a crop that varies by less is blank, and a decoder would invent text for it."""

_LOST = ("CUDA error", "cuDNN error")
"""Parts of torch's messages when a GPU has failed; every later use in the same process fails, too."""


class TrocrReader:
    """A reader of line crops.

    Args:
        options: Model, device, number format, decoder.

    Raises:
        EnvironmentFault: If the model or the device is missing, or the model cannot be loaded.
    """

    def __init__(self, options: TrocrOptions) -> None:
        folder = find_model(options)
        import torch
        from transformers import GenerationConfig

        from inkstream.ocr_core.engines.trocr.loading import load

        self._together = options.batch_size
        self._device = _device(options.device)
        self._dtype = _dtype(options, self._device)
        self._model, self._processor = load(folder, torch.bfloat16 if self._dtype == "bfloat16" else torch.float32)
        self._model.to(self._device)
        if self._device.type == "cpu":
            _adapt_to_cpu(self._model, self._dtype)
        own, decoder = self._model.generation_config, self._model.config.decoder
        positions = getattr(decoder, "max_position_embeddings", options.max_new_tokens)
        self._generation = GenerationConfig(
            decoder_start_token_id=_first_set(own.decoder_start_token_id, decoder.decoder_start_token_id),
            eos_token_id=_first_set(own.eos_token_id, decoder.eos_token_id),
            pad_token_id=_first_set(own.pad_token_id, decoder.pad_token_id),
            do_sample=False,
            use_cache=True,
            num_beams=options.num_beams,
            max_new_tokens=min(options.max_new_tokens, positions),
            return_dict_in_generate=True,
            output_scores=options.num_beams > 1,
        )
        self._model.generation_config = self._generation  # otherwise the model's own would fill in what is not set here

    @property
    def dtype(self) -> str:
        """Number format: `float32`, `bfloat16` or `int8`."""
        return self._dtype

    def warm_up(self) -> None:
        """Read noise, so that memory is allocated before the first page.

        A GPU reads as many lines as in a full batch; a CPU, which encodes each line by itself, reads one.
        """
        noise = np.random.default_rng(0).integers(0, 256, (32, 256), np.uint8)
        self._read_together([noise] * (1 if self._device.type == "cpu" else self._together), max_new_tokens=2)

    def read(self, crops: Sequence[Pixels]) -> list[Reading]:
        """Read crops of one line each; see `LineReader.read`. Lines of similar length form a batch.

        A crop without contrast has an empty reading.
        """
        readings = [Reading(())] * len(crops)
        inked = [index for index, crop in enumerate(crops) if int(crop.max()) - int(crop.min()) >= _FAINTEST]
        inked.sort(key=lambda index: crops[index].shape[1] / crops[index].shape[0])
        while inked:
            read = self._read_together([crops[index] for index in inked[: self._together]])
            for index, reading in zip(inked, read, strict=False):
                readings[index] = reading
            del inked[: len(read)]
        return readings

    def _read_together(self, crops: Sequence[Pixels], **overrides: int) -> list[Reading]:
        """Read the first `_together` crops; if they exceed the GPU's memory, halve that number for good."""
        import torch

        try:
            return list(self._read(crops[: self._together], **overrides))
        except torch.OutOfMemoryError as error:
            reason = str(error).partition(". ")[0]
        except RuntimeError as error:
            if any(sign in str(error) for sign in _LOST):
                raise DeviceLostError(error) from error
            raise
        if self._together == 1:
            raise EnvironmentFault(
                f"the GPU has no memory for one line: {reason}",
                "see with `nvidia-smi` what else uses it, choose a smaller model, or set device to cpu",
            )
        self._together = max(1, min(self._together, len(crops)) // 2)
        torch.cuda.empty_cache()
        return self._read_together(crops, **overrides)

    def _read(self, crops: Sequence[Pixels], **overrides: int) -> Iterator[Reading]:
        import torch
        from transformers import LogitsProcessorList

        pictures = [Image.fromarray(np.ascontiguousarray(crop)).convert("RGB") for crop in crops]
        pixels = self._processor(images=pictures, return_tensors="pt").pixel_values
        best: list[torch.Tensor] = []

        def note_best(_: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
            best.append(logits.log_softmax(-1).amax(-1))
            return logits

        with torch.inference_mode():
            written = self._model.generate(
                encoder_outputs=self._look(pixels.to(self._device)),
                generation_config=self._generation,
                logits_processor=LogitsProcessorList([note_best] if self._generation.num_beams == 1 else []),
                **overrides,
            )
            scores = torch.stack(best, 1) if best else self._beam_scores(written)
        sequences = written.sequences[:, written.sequences.shape[1] - scores.shape[1] :].tolist()
        for tokens, chances in zip(sequences, scores.float().exp().tolist(), strict=True):
            yield self._reading(tokens, chances)

    def _look(self, pixels: torch.Tensor) -> Any:
        """Run the image encoder; on a CPU line by line, so that the numbers stay in its caches."""
        import torch
        from transformers.modeling_outputs import BaseModelOutput

        encoder, decoder = self._model.encoder, self._model.decoder
        together = 1 if self._device.type == "cpu" else len(pixels)
        seen = [encoder(some.to(encoder.dtype)).last_hidden_state for some in pixels.split(together)]
        return BaseModelOutput(torch.cat(seen).to(decoder.dtype))

    def _beam_scores(self, written: Any) -> torch.Tensor:
        scores: torch.Tensor = self._model.compute_transition_scores(
            written.sequences, written.scores, written.beam_indices, normalize_logits=False
        )
        return scores

    def _reading(self, written: list[int], chances: list[float]) -> Reading:
        ends = self._generation.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends])
        length = next((at + 1 for at, token in enumerate(written) if token in ends), len(written))
        kept = written[:length]
        finished = bool(kept) and kept[-1] in ends
        tokens, text = [], ""
        for number, chance in enumerate(chances[:length], start=1):
            text = self._text(kept[:number])
            tokens.append(Token(len(text), chance))
        return Reading(words_of_tokens(text, tokens, finished=finished))

    def _text(self, tokens: list[int]) -> str:
        text: str = self._processor.tokenizer.decode(
            tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text


def _device(wanted: str) -> torch.device:
    import torch

    there = wanted != "cpu" and torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise EnvironmentFault(
            "recognize.trocr.device is cuda, but torch finds no CUDA device",
            "check the output of `nvidia-smi`, or set device to auto",
        )
    return torch.device("cuda" if there else "cpu")


def _dtype(options: TrocrOptions, device: torch.device) -> str:
    """Return the number format of the options; for `auto`, bfloat16 if the device supports it."""
    import torch

    if options.dtype == "int8" and device.type != "cpu":
        raise EnvironmentFault(
            f"recognize.trocr.dtype is int8, which runs only on a CPU, but the device is {device.type}",
            "set device to cpu, or dtype to auto",
        )
    if options.dtype != "auto":
        return options.dtype
    if device.type == "cuda":
        has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bfloat16 = processor.has_bfloat16()
    return "bfloat16" if has_bfloat16 else "float32"


def _adapt_to_cpu(model: Any, dtype: str) -> None:
    """Adapt a float32 or bfloat16 model to the CPU and the number format."""
    import torch

    from inkstream.ocr_core.engines.trocr import cpu

    if dtype == "int8":
        cpu.use_int8(model.encoder)
    if dtype == "bfloat16" or (dtype == "int8" and processor.has_bfloat16()):
        cpu.attend_in_bfloat16(model.encoder)
        for part in model.children():
            if part is not model.encoder:
                part.to(torch.bfloat16)


def _first_set(*candidates: Any) -> Any:
    return next((one for one in candidates if one is not None), None)

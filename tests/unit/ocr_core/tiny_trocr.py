"""Trains a small model of TrOCR's architecture until it reads a few lines without a mistake."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

SIZE = {"height": 32, "width": 256}
_BATCH, _VIEWS, _NOISE = 16, 10, 4


def make_model(texts: Sequence[str], crops: Sequence[np.ndarray], folder: Path, steps: int = 240) -> None:
    """Train a model, and save it, its tokenizer and its image processor with `save_pretrained`.

    The training also shows noise with different letters each time, so that the model learns to be unsure of unreadable
    crops.

    Args:
        texts: One text per crop.
        crops: Pictures of one line each.
        folder: The folder to write to.
        steps: Number of training batches.
    """
    import torch
    from PIL import Image

    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    processor = _processor(texts)
    model = _model(len(processor.tokenizer))
    shown = [vary(crop, rng) if view else crop for crop in crops for view in range(_VIEWS)]
    noise = [rng.integers(0, 256, (40, 400), np.uint8) for _ in range(_NOISE)]
    pictures = [Image.fromarray(picture).convert("RGB") for picture in shown + noise]
    pixels = processor(images=pictures, return_tensors="pt").pixel_values
    known = processor.tokenizer(list(texts), padding=True, return_tensors="pt").input_ids.repeat_interleave(_VIEWS, 0)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    model.train()
    for _ in range(steps):
        anything = torch.randint(4, model.config.decoder.vocab_size, (len(noise), known.shape[1]))
        labels = torch.cat([known, anything])
        labels = labels.masked_fill(labels == processor.tokenizer.pad_token_id, -100)
        some = torch.randperm(len(labels))[:_BATCH]
        loss = model(pixel_values=pixels[some], labels=labels[some]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)


def vary(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the crop with its content moved by a few pixels."""
    down, right = (int(step) for step in rng.integers(-4, 5, 2))
    padding = [(4 + down, 4 - down), (4 + right, 4 - right), *[(0, 0)] * (crop.ndim - 2)]
    return np.pad(crop, padding, mode="edge")


def _processor(texts: Sequence[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import TrOCRProcessor
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet)
    )
    core.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    images = ViTImageProcessorPil(size=SIZE, image_mean=[0.9] * 3, image_std=[0.2] * 3)
    return TrOCRProcessor(images, tokenizer_of(core))


def tokenizer_of(core: Any) -> Any:
    """Return the tokenizer of a model whose tokens 0 to 3 are begin, padding, end and unknown."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=core, bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def model_of(encoder: Any, **decoder: Any) -> Any:
    """Return a model with random weights, from an encoder's configuration and a decoder's settings for those tokens."""
    from transformers import TrOCRConfig, VisionEncoderDecoderConfig, VisionEncoderDecoderModel

    writer = TrOCRConfig(**decoder, bos_token_id=0, pad_token_id=1, eos_token_id=2, decoder_start_token_id=2)
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(
        encoder, writer, decoder_start_token_id=2, pad_token_id=1, eos_token_id=2
    )
    return VisionEncoderDecoderModel(config=config)


def _model(vocabulary: int) -> Any:
    from transformers import ViTConfig

    encoder = ViTConfig(
        hidden_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=192,
        image_size=(SIZE["height"], SIZE["width"]),
        patch_size=(32, 8),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return model_of(
        encoder,
        vocab_size=vocabulary,
        d_model=96,
        cross_attention_hidden_size=96,
        decoder_layers=2,
        decoder_attention_heads=4,
        decoder_ffn_dim=192,
        max_position_embeddings=96,
        dropout=0.0,
    )

"""Small models in the layout of Microsoft's models on the hub: old settings, no ready tokenizer, no pooler weights."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIDE = 32
POSITIONS = 24
TEXTS = ["Dear Margaret,", "the river rose again on Tuesday", "and the ferry did not run.", "Come by train: 07:45"]
_SHARED = {
    "decoder_layers": 2,
    "decoder_attention_heads": 4,
    "decoder_ffn_dim": 96,
    "cross_attention_hidden_size": 48,
    "max_position_embeddings": POSITIONS,
    "init_std": 0.5,
    "use_cache": False,
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}
DECODERS: dict[str, dict[str, Any]] = {
    "small-handwritten": {
        "vocab_size": 44,
        "d_model": 32,
        "activation_function": "relu",
        "layernorm_embedding": True,
        "scale_embedding": True,
        "use_learned_position_embeddings": True,
        "tie_word_embeddings": False,
    },
    "base-handwritten": {
        "vocab_size": 400,
        "d_model": 64,
        "activation_function": "gelu",
        "layernorm_embedding": True,
        "scale_embedding": False,
        "use_learned_position_embeddings": True,
        "tie_word_embeddings": True,
    },
    "large-printed": {
        "vocab_size": 400,
        "d_model": 64,
        "activation_function": "relu",
        "layernorm_embedding": False,
        "scale_embedding": True,
        "use_learned_position_embeddings": False,
        "tie_word_embeddings": False,
    },
}
"""The settings of the models' config.json files, except for the sizes."""


def make_hub_model(name: str, folder: Path) -> Any:
    """Write a model with random weights, as the hub would deliver it.

    Args:
        name: One of `DECODERS`.
        folder: The folder to write to.

    Returns:
        The model itself, before it was saved.
    """
    import torch
    from transformers import DeiTConfig, TrOCRConfig, VisionEncoderDecoderConfig, VisionEncoderDecoderModel, ViTConfig

    torch.manual_seed(3)
    small = name.startswith("small")
    sizes = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 96}
    sizes |= {"image_size": SIDE, "patch_size": 16}
    encoder = DeiTConfig(**sizes) if small else ViTConfig(**sizes, qkv_bias=False)
    decoder = TrOCRConfig(**_SHARED, **DECODERS[name])
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder, tie_word_embeddings=False)
    model = VisionEncoderDecoderModel(config).eval()
    stored = {key: value for key, value in model.state_dict().items() if not key.startswith("encoder.pooler.")}
    model.save_pretrained(folder, state_dict=stored)
    _write(folder, "preprocessor_config.json", feature_extractor_type="ViTFeatureExtractor", do_normalize=True,
           do_resize=True, image_mean=[0.5] * 3, image_std=[0.5] * 3, resample=2, size=SIDE)  # fmt: skip
    _write(folder, "generation_config.json", _from_model_config=True, use_cache=False,
           bos_token_id=0, decoder_start_token_id=2, eos_token_id=2, pad_token_id=1)  # fmt: skip
    _write(folder, "tokenizer_config.json", tokenizer_class="XLMRobertaTokenizer" if small else "RobertaTokenizer")
    (_pieces if small else _byte_pairs)(folder)
    return model


def plain_loop(model: Any, crop: np.ndarray, longest: int) -> list[int]:
    """Return the tokens that a model writes for a crop, greedily and without a cache."""
    import torch

    picture = np.asarray(Image.fromarray(crop).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
    pixels = torch.tensor((picture.astype(np.float32) / 255 - 0.5) / 0.5).permute(2, 0, 1)[None]
    tokens = [2]
    with torch.inference_mode():
        while len(tokens) <= longest and (len(tokens) == 1 or tokens[-1] != 2):
            answer = model(pixel_values=pixels, decoder_input_ids=torch.tensor([tokens]), use_cache=False)
            tokens.append(int(answer.logits[0, -1].argmax()))
    return tokens[1:]


def decode_tokens(name: str, folder: Path, tokens: Sequence[int]) -> str:
    """Return the text of tokens, decoded by the library that made them instead of transformers."""
    if name.startswith("small"):
        from sentencepiece import SentencePieceProcessor

        pieces = SentencePieceProcessor(model_file=str(folder / "sentencepiece.bpe.model"))
        # fairseq's four special tokens are 0 to 3; a piece's number is its token's minus one
        known = [token - 1 for token in tokens if 3 < token <= pieces.get_piece_size()]
        return " ".join(pieces.decode(known).split())
    from tokenizers import ByteLevelBPETokenizer

    pairs = ByteLevelBPETokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    return " ".join(pairs.decode([token for token in tokens if token > 4]).split())


def _write(folder: Path, name: str, **settings: Any) -> None:
    (folder / name).write_text(json.dumps(settings))


def _pieces(folder: Path) -> None:
    import io

    from sentencepiece import SentencePieceTrainer

    model_file = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model_file, vocab_size=36, model_type="unigram", minloglevel=2
    )
    (folder / "sentencepiece.bpe.model").write_bytes(model_file.getvalue())


def _byte_pairs(folder: Path) -> None:
    from tokenizers import ByteLevelBPETokenizer

    pairs = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pairs.train_from_iterator(TEXTS, vocab_size=400, special_tokens=special, show_progress=False)
    pairs.save_model(str(folder))

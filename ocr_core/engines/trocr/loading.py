"""Loading a TrOCR model: only safetensors, only local files, and no weights left random."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import TrOCRProcessor, VisionEncoderDecoderModel
from transformers.models.trocr.modeling_trocr import TrOCRSinusoidalPositionalEmbedding
from transformers.utils import logging

from inkstream.ocr_core.errors import EnvironmentFault

_UNUSED = "encoder.pooler."
"""A part of the image transformer that no decoder uses; the models on the hub come without it."""
_REMEDY = "download or copy the model again, or set recognize.trocr.model to another model"


def load(folder: Path, dtype: torch.dtype) -> tuple[Any, Any]:
    """Load a model and its processor, without running any code of the model.

    Args:
        folder: From `find_model`.
        dtype: Number format of its weights.

    Returns:
        A `VisionEncoderDecoderModel`, ready to read, and a `TrOCRProcessor`.

    Raises:
        EnvironmentFault: If the files are not a TrOCR model, or weights are missing or have other shapes.
    """
    try:
        with _quiet():
            model, report = VisionEncoderDecoderModel.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                dtype=dtype,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
            )
            processor = TrOCRProcessor.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, backend="pil"
            )
    except Exception as error:
        raise EnvironmentFault(
            f"{folder} cannot be loaded as a TrOCR model: {type(error).__name__}: {error}", _REMEDY
        ) from error
    _check_weights(folder, report)
    _make_positions(model)
    return model.eval(), processor


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the progress bar and the report of differences out of the log; harmful differences are raised here."""
    verbosity, progress = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if progress:
            logging.enable_progress_bar()


def _check_weights(folder: Path, report: dict[str, Any]) -> None:
    """Reject weights that transformers would fill with random numbers: the model would silently read nonsense."""
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(_UNUSED))
    if missing:
        raise EnvironmentFault(f"{folder} lacks weights that its config.json names: {_shorten(missing)}", _REMEDY)
    other = sorted(name for name, *_ in report["mismatched_keys"])
    if other:
        raise EnvironmentFault(
            f"{folder} has weights whose shapes differ from its config.json: {_shorten(other)}", _REMEDY
        )


def _shorten(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _make_positions(model: Any) -> None:
    """Compute the sinusoids of models that were trained with them instead of learned positions.

    `trocr-large-printed` has them, and so do models fine-tuned from `trocr-base-stage1` or `trocr-large-stage1`.
    transformers 5 creates a model without memory and fills in the stored weights. Sinusoids are not stored, and would
    stay behind when the model moves to another device.
    """
    for part in model.modules():
        if isinstance(part, TrOCRSinusoidalPositionalEmbedding):
            count = len(part.weights)
            del part.weights
            sinusoids = part.get_embedding(count, part.embedding_dim, part.padding_idx)
            part.register_buffer("weights", sinusoids.to(model.dtype), persistent=False)

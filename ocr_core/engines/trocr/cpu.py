"""A faster image encoder on CPUs: attention and matrix products that suit their instructions."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface
from transformers.activations import GELUActivation

_PLAIN = ("vit", "deit")
"""Encoders whose attention is product, softmax, product, as in the TrOCR models on the hub."""
_ATTENTION = "inkstream_bfloat16"


def attend_in_bfloat16(encoder: Any) -> None:
    """Make an encoder's attention multiply in bfloat16, if its attention is plain."""
    if encoder.config.model_type in _PLAIN:
        AttentionInterface.register(_ATTENTION, _attend)
        encoder.set_attn_implementation(_ATTENTION)


def use_int8(encoder: nn.Module) -> None:
    """Replace every linear layer of a float32 encoder, and the GELU that may follow it, with `Int8Linear`."""
    for parent in list(encoder.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.Linear):
                gelu = name == "fc1" and isinstance(getattr(parent, "activation_fn", None), GELUActivation)
                setattr(parent, name, Int8Linear(child, gelu=gelu))
                if gelu:
                    parent.activation_fn = nn.Identity()


class Int8Linear(nn.Module):  # type: ignore[misc]
    """A linear layer that multiplies bytes with oneDNN, with one scale per weight row and one for all inputs.

    torch's own quantised layers are deprecated, and their successors are meant for its compiler.

    Args:
        linear: The layer to replace, float32.
        gelu: Whether GELU follows.
    """

    def __init__(self, linear: nn.Linear, *, gelu: bool = False) -> None:
        super().__init__()
        weight = linear.weight.detach()
        self._after = ("gelu" if gelu else "none", (), "none" if gelu else "")
        self._scales = weight.abs().amax(1).clamp_min(1e-12) / 127
        self._zeros = torch.zeros(len(weight), dtype=torch.int32)
        rounded = (weight / self._scales[:, None]).round().to(torch.int8)
        self._weight = torch.ops.onednn.qlinear_prepack(rounded, None)
        self._bias = None if linear.bias is None else linear.bias.detach()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return approximately the output of the linear layer: float32, `... x out_features`."""
        least, most = (float(bound) for bound in inputs.aminmax())
        least, most = min(least, 0.0), max(most, 0.0)
        step = (most - least) / 254 or 1.0  # not 255: both the zero and the largest may be rounded up
        zero = round(-least / step)
        rounded = torch.add(torch.tensor(zero + 0.5), inputs, alpha=1 / step)
        rounded = rounded.to(torch.int32).to(torch.uint8)  # straight to uint8 takes torch three times as long
        product: torch.Tensor = torch.ops.onednn.qlinear_pointwise(
            rounded, step, zero, self._weight, self._scales, self._zeros, self._bias,
            1.0, 0, torch.float32, *self._after,
        )  # fmt: skip
        return product


def _attend(
    _module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attend in bfloat16. On a line's 578 tokens torch's own attention, made for longer sequences, takes 1.5 times."""
    low = torch.bfloat16
    scaled = (query * (scaling or query.shape[-1] ** -0.5)).to(low)
    scores = torch.matmul(scaled, key.to(low).transpose(2, 3))
    if attention_mask is not None:
        scores = scores + attention_mask.to(low)
    attended = torch.matmul(scores.softmax(-1), value.to(low))
    return attended.transpose(1, 2).to(query.dtype, memory_format=torch.contiguous_format), None

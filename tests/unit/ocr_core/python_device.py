"""Reads crops with TrOCR models on a device made of Python.

Its tensors compute like the CPU's and refuse to be mixed with them, so, as on a GPU, no tensor may stay on the CPU. It
stands in for a GPU, but says nothing about speed.

    python -m tests.unit.ocr_core.python_device CROPS.npz < readers.json > texts.json
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from inkstream.ocr_core.engines.trocr import reader
from inkstream.ocr_core.options import TrocrOptions

DEVICE = "elsewhere"
_MOVES = ("aten::_copy_from", "aten::copy_", "aten::_to_copy")
_VIEWS = ("aten::view", "aten::_unsafe_view", "aten::_reshape_alias")


class Elsewhere(torch.Tensor):  # type: ignore[misc]
    """A tensor that says it is on the device, and keeps its numbers in `raw`."""

    __torch_function__ = torch._C._disabled_torch_function_impl
    raw: torch.Tensor

    @staticmethod
    def of(raw: torch.Tensor) -> Elsewhere:
        """Return a tensor of the device with these numbers."""
        moved: Elsewhere = torch._C._acc.create_empty_tensor(tuple(raw.shape), raw.dtype)
        moved.__class__ = Elsewhere
        moved.raw = raw
        return moved


def run(operation: Any, *args: Any, **options: Any) -> Any:
    """Run an operation of the device on the CPU."""
    name = operation.name().partition(".")[0]
    moves = name in _MOVES
    if name == "aten::_copy_from":
        _raw(args[1], moves=True).copy_(_raw(args[0], moves=True))
        return args[1]
    plain, named = _raw(args, moves=moves), _raw(options, moves=moves)
    answer = plain[0].reshape(plain[1]) if name in _VIEWS else operation(*plain, **named)
    leaves = moves and options.get("device") is not None and options["device"].type == "cpu"
    given = {id(new): old for old, new in zip([*args, *options.values()], [*plain, *named.values()], strict=True)}
    return answer if leaves else _wrapped(answer, given)


def _raw(value: Any, *, moves: bool) -> Any:
    if isinstance(value, Elsewhere):
        return value.raw
    if isinstance(value, torch.Tensor) and value.dim() and not moves:
        raise RuntimeError(f"found {DEVICE} and {value.device} where all tensors should be on one device")
    if isinstance(value, list | tuple):
        return type(value)(_raw(item, moves=moves) for item in value)
    if isinstance(value, dict):
        return {key: _raw(item, moves=moves) for key, item in value.items()}
    return torch.device("cpu") if isinstance(value, torch.device) else value


def _wrapped(answer: Any, given: dict[int, Any]) -> Any:
    if isinstance(answer, torch.Tensor):
        known = given.get(id(answer))
        return known if isinstance(known, Elsewhere) else Elsewhere.of(answer)
    return type(answer)(_wrapped(item, given) for item in answer) if isinstance(answer, list | tuple) else answer


def register() -> list[torch.library.Library]:
    """Register the device with torch, for as long as the returned libraries are kept."""
    _setup_privateuseone_for_python_backend(DEVICE)
    rest, aten = torch.library.Library("_", "IMPL"), torch.library.Library("aten", "IMPL")
    rest.fallback(run, "PrivateUse1")
    aten.impl("convolution_overrideable", partial(run, torch.ops.aten.convolution.default), "PrivateUse1")
    for full in torch._C._dispatch_get_all_op_names():
        namespace, _, name = full.partition("::")
        composite = torch._C._dispatch_has_kernel_for_dispatch_key(full, "CompositeExplicitAutograd")
        own = torch._C._dispatch_has_kernel_for_dispatch_key(full, "PrivateUse1")
        operation, _, overload = name.partition(".")
        packet = getattr(torch.ops.aten, operation, None) if namespace == "aten" and composite and not own else None
        if packet is not None and "convolution" not in operation and (overload or "default") in packet.overloads():
            aten.impl(name, partial(run, getattr(packet, overload or "default")), "PrivateUse1")
    return [rest, aten]


def move(module: torch.nn.Module, device: torch.device) -> torch.nn.Module:
    """Move a module to the device as `Module.to` does: parameters and buffers, each once."""
    assert device.type == DEVICE
    moved: dict[int, Elsewhere] = {}
    for part in module.modules():
        for table in (part._parameters, part._buffers):
            for key, value in table.items():
                if value is not None:
                    table[key] = moved.setdefault(id(value), Elsewhere.of(value.detach()))
    return module


def main() -> None:
    """Read the crops once with each of a list of `TrocrOptions`, and print the texts of each."""
    torch.set_num_threads(1)
    libraries, texts = register(), []
    with np.load(sys.argv[1]) as stored:
        crops = [stored[name] for name in stored.files]
    with (
        mock.patch.object(torch.nn.Module, "to", move),
        mock.patch.object(reader, "_device", return_value=torch.device(DEVICE)),
    ):
        for options in json.load(sys.stdin):
            with torch.inference_mode():
                opened = reader.TrocrReader(TrocrOptions.model_validate(options))
            assert all(isinstance(value, Elsewhere) for value in opened._model.parameters())
            texts.append([reading.text for reading in opened.read(crops)])
    print(json.dumps(texts))
    del libraries


if __name__ == "__main__":
    main()

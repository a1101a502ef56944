"""Every kind of Microsoft's TrOCR models, in the layout of the hub, gives the text of a plain decoding loop."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from inkstream.ocr_core.engines.line_reader import DeviceLostError
from inkstream.ocr_core.engines.trocr import processor
from inkstream.ocr_core.engines.trocr.models import find_model
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import install_command
from inkstream.ocr_core.options import RecognizeOptions, TrocrOptions
from tests.unit.ocr_core.hub_models import DECODERS, POSITIONS, SIDE, decode_tokens, make_hub_model, plain_loop

if TYPE_CHECKING:
    import torch

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("torch", "transformers", "sentencepiece")),
    reason="torch, transformers or sentencepiece are not installed: make test-trocr",
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """Use one thread, as the model's process does; more would slow down other tests."""
    import torch

    torch.set_num_threads(1)


def crops() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(0, 256, (40, 40 * width), np.uint8) for width in (1, 2, 3, 4)]


@pytest.mark.parametrize("name", DECODERS)
def test_a_hub_model_gives_the_text_of_a_plain_decoding_loop(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    model = make_hub_model(name, tmp_path)
    capfd.readouterr()
    reader = TrocrReader(TrocrOptions(model=str(tmp_path), dtype="float32", max_new_tokens=12))
    readings = reader.read(crops())
    assert capfd.readouterr().err == "", "weights that are missing on purpose are not reported"
    expected = [decode_tokens(name, tmp_path, plain_loop(model, crop, 12)) for crop in crops()]
    assert len(set(expected)) > 1
    assert [reading.text for reading in readings] == expected


@pytest.mark.parametrize("name", DECODERS)
@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_number_formats_mostly_agree_on_the_first_token(name: str, dtype: str, tmp_path: Path) -> None:
    """With random weights two number formats soon differ, but they agree on the first tokens."""
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    if dtype == "int8" and not processor.has_int8():
        pytest.skip("this processor has no VNNI instructions")
    make_hub_model(name, tmp_path)
    readers = [TrocrReader(TrocrOptions(model=str(tmp_path), dtype=form, max_new_tokens=1))
               for form in ("float32", dtype)]  # fmt: skip
    exact, rough = ([reading.text for reading in reader.read(crops())] for reader in readers)
    assert sum(a == b for a, b in zip(exact, rough, strict=True)) >= 3


@pytest.mark.parametrize("name", DECODERS)
def test_all_tensors_of_a_model_are_parameters_or_buffers(name: str, tmp_path: Path) -> None:
    """`Module.to` moves parameters and buffers, and no other attribute."""
    import torch

    from inkstream.ocr_core.engines.trocr.loading import load

    make_hub_model(name, tmp_path)
    model, _ = load(tmp_path, torch.float32)
    assert [
        (type(part).__name__, key)
        for part in model.modules()
        for key, value in vars(part).items()
        if isinstance(value, torch.Tensor)
    ] == []


def test_another_device_gives_the_same_texts_without_mixing_tensors(tmp_path: Path) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    readers = []
    for name in DECODERS:
        make_hub_model(name, tmp_path / name)
        for beams in (1, 3):
            options = {"model": str(tmp_path / name), "dtype": "float32", "max_new_tokens": 12, "batch_size": 2}
            readers.append(options | {"num_beams": beams})
    np.savez(tmp_path / "crops.npz", *crops())
    command = [sys.executable, "-m", "tests.unit.ocr_core.python_device", str(tmp_path / "crops.npz")]
    process = subprocess.run(command, input=json.dumps(readers), capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    for options, texts in zip(readers, json.loads(process.stdout), strict=True):
        expected = TrocrReader(TrocrOptions.model_validate(options)).read(crops())
        assert texts == [reading.text for reading in expected]


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("name", DECODERS)
def test_generation_stops_at_the_number_of_positions(name: str, beams: int, tmp_path: Path) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    make_hub_model(name, tmp_path)
    texts = [
        [reading.text for reading in TrocrReader(
            TrocrOptions(model=str(tmp_path), dtype="float32", num_beams=beams, max_new_tokens=tokens)
        ).read(crops())]
        for tokens in (POSITIONS, 4 * POSITIONS)
    ]  # fmt: skip
    assert texts[0] == texts[1]


def test_the_generation_config_of_a_model_is_ignored(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Settings from fine-tuning tutorials prevent the text `10 10 10`, and make a cut line look complete."""
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    make_hub_model("base-handwritten", tmp_path)
    options = TrocrOptions(model=str(tmp_path), dtype="float32", max_new_tokens=12)
    readings = TrocrReader(options).read(crops())
    settings = tmp_path / "generation_config.json"
    wanted = {"no_repeat_ngram_size": 1, "length_penalty": 2.0, "early_stopping": True, "num_beams": 4, "max_length": 6}
    wanted |= {"forced_eos_token_id": 2, "repetition_penalty": 5.0}
    settings.write_text(json.dumps(json.loads(settings.read_text()) | wanted))
    capfd.readouterr()
    assert TrocrReader(options).read(crops()) == readings
    assert capfd.readouterr().err == ""


def test_an_old_transformers_is_an_environment_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    real = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "5.16.1" if name == "transformers" else real(name))
    with pytest.raises(EnvironmentFault, match=r"needs transformers .*>=5\.18.*, but 5\.16\.1 is installed") as caught:
        find_model(TrocrOptions(model=str(tmp_path)))
    assert caught.value.remedy == install_command("trocr")


def test_a_model_with_missing_weights_is_rejected(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    make_hub_model("large-printed", tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["decoder.output_projection.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(EnvironmentFault, match=r"lacks weights .*: decoder\.output_projection\.weight\n"):
        TrocrReader(TrocrOptions(model=str(tmp_path)))


def test_a_model_with_weights_of_another_shape_is_rejected(tmp_path: Path) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    make_hub_model("large-printed", tmp_path)
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"vocab_size": 400', '"vocab_size": 500'))
    with pytest.raises(EnvironmentFault, match=r"has weights whose shapes differ from its config\.json: decoder\."):
        TrocrReader(TrocrOptions(model=str(tmp_path)))


def test_a_model_with_a_wrong_image_size_is_an_environment_fault(tmp_path: Path) -> None:
    from inkstream.ocr_core.engines.registry import open_line_reader

    make_hub_model("base-handwritten", tmp_path)
    settings = tmp_path / "preprocessor_config.json"
    settings.write_text(settings.read_text().replace(f'"size": {SIDE}', f'"size": {2 * SIDE}'))
    options = RecognizeOptions.model_validate({"engine": "trocr", "trocr": {"model": str(tmp_path)}})
    with pytest.raises(
        EnvironmentFault, match=r"the model of the engine trocr does not work: ValueError: .*size"
    ) as caught:
        open_line_reader(options)
    assert caught.value.remedy.startswith("set recognize.trocr.model to another model")


def test_warming_up_reads_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    make_hub_model("base-handwritten", tmp_path)
    reader = TrocrReader(TrocrOptions(model=str(tmp_path)))
    looked_at = limit_memory(reader, 16, monkeypatch)
    reader.warm_up()
    assert looked_at == [1]


@pytest.mark.parametrize(("generation", "expected"), [(7, "float32"), (8, "bfloat16"), (9, "bfloat16")])
def test_a_gpu_that_only_emulates_bfloat16_uses_float32(
    generation: int, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compute capability 7 is a T4 or V100; torch claims that these support it."""
    import torch

    from inkstream.ocr_core.engines.trocr.reader import _dtype

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(major=generation))
    monkeypatch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda _: True)
    assert _dtype(TrocrOptions(), torch.device("cuda")) == expected


@pytest.mark.parametrize(("room", "expected"), [(3, [4, 2, 2]), (1, [4, 2, 1, 1, 1, 1])])
def test_a_batch_too_large_for_the_gpu_is_halved_and_read(
    room: int, expected: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    make_hub_model("base-handwritten", tmp_path)
    reader = TrocrReader(TrocrOptions(model=str(tmp_path), dtype="float32", max_new_tokens=12, batch_size=4))
    texts = [reading.text for reading in reader.read(crops())]
    tried = limit_memory(reader, room, monkeypatch)
    assert [reading.text for reading in reader.read(crops())] == texts
    assert tried == expected
    tried.clear()
    reader.read(crops())
    assert max(tried) <= room, "a size that did not fit is not tried again"


def test_a_gpu_without_memory_for_one_line_is_an_environment_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    make_hub_model("base-handwritten", tmp_path)
    reader = TrocrReader(TrocrOptions(model=str(tmp_path)))
    limit_memory(reader, 0, monkeypatch)
    with pytest.raises(EnvironmentFault, match="the GPU has no memory for one line: CUDA out of memory"):
        reader.read(crops())


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("CUDA error: unspecified launch failure", DeviceLostError),
        ("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", DeviceLostError),
        ("a shape is invalid", RuntimeError),
    ],
)
def test_gpu_errors_are_distinguished_from_errors_of_a_line(
    message: str, expected: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    def fail(_: torch.Tensor) -> None:
        raise RuntimeError(message)

    make_hub_model("base-handwritten", tmp_path)
    reader = TrocrReader(TrocrOptions(model=str(tmp_path)))
    monkeypatch.setattr(reader, "_look", fail)
    with pytest.raises(expected, match=message) as caught:
        reader.read(crops())
    assert type(caught.value) is expected


def limit_memory(reader: Any, room: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make a reader run out of memory, as on a GPU, when it gets more lines than fit; record how many it gets."""
    import torch

    look, tried = reader._look, []

    def watched(pixels: torch.Tensor) -> Any:
        tried.append(len(pixels))
        if len(pixels) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return look(pixels)

    monkeypatch.setattr(reader, "_look", watched)
    return tried

"""A small TrOCR model trained on a few lines, loaded like any other TrOCR model."""

from __future__ import annotations

import json
import os
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from inkstream import LimitOptions, PageWorker, PipelineOptions, WorkingPage, read_document
from inkstream.ocr_core.engines.line_reader import Reading
from inkstream.ocr_core.engines.trocr import processor
from inkstream.ocr_core.engines.trocr.models import find_model
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import install_command
from inkstream.ocr_core.options import TrocrOptions
from inkstream.ocr_core.page import Level
from inkstream.ocr_core.pipeline.environment import check_environment, engine_versions
from inkstream.ocr_core.pipeline.fingerprint import pipeline_id
from tests.unit.ocr_core.tiny_trocr import make_model, vary

LINES = [
    "Dear Margaret,",
    "the river rose again on Tuesday",
    "and the ferry did not run.",
    "Come by train: 07:45",
    "No",
]

needs_torch = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("torch", "transformers", "sentencepiece")),
    reason="torch, transformers or sentencepiece are not installed: make test-trocr",
)


def page() -> Image.Image:
    image = Image.new("RGB", (1400, 1000), "ivory")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(LINES):
        draw.text((180, 120 + 150 * number), line, font=ImageFont.load_default(size=64), fill="navy")
    return image


def line_crops() -> list[np.ndarray]:
    """Return the lines as detection finds them and recognition crops them."""
    from inkstream.ocr_core.stages.detect import Detect
    from inkstream.ocr_core.stages.read_lines import cut_lines

    options = options_for("any/model")
    assert options.detect is not None
    working = WorkingPage(source=None, pixels=np.asarray(page()))
    Detect(options.detect, options.recognize).run(working)
    assert working.pixels is not None
    crops = [crop.pixels for crop in cut_lines(working.pixels, working.regions, options.recognize.lines)]
    assert len(crops) == len(LINES)
    return crops


def needs_hardware(setting: dict[str, object]) -> None:
    import torch

    if setting.get("dtype") == "int8" and not processor.has_int8():
        pytest.skip("this processor has no VNNI instructions")
    if setting.get("device") == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no GPU")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch

    torch.set_num_threads(1)  # as in the model's process; more threads would compete with other tests
    folder = tmp_path_factory.mktemp("trocr") / "model"
    make_model(LINES, line_crops(), folder)
    return folder


def options_for(model: Path | str, **trocr: object) -> PipelineOptions:
    return PipelineOptions.model_validate(
        {
            "text_layer": {"mode": "ignore"},
            "render": {"color": "rgb"},
            "detect": {"engine": "ppocr", "link_threshold": 0.3},
            "recognize": {
                "engine": "trocr",
                "lines": {"group_images": True},
                "trocr": {"model": str(model), **trocr},
            },
        }
    )


@needs_torch
@pytest.mark.parametrize("sandboxed", [True, False])
def test_a_page_is_read_line_by_line_in_order(model: Path, tmp_path: Path, sandboxed: bool) -> None:
    page().save(tmp_path / "page.png")
    (result,) = read_document(tmp_path / "page.png", options_for(model), sandboxed=sandboxed)
    assert result.failure is None
    assert result.text == "\n".join(LINES)
    assert result.engine == "trocr"
    assert result.confidence is not None
    assert result.confidence > 90
    words = [region for region in result.regions if region.level is Level.WORD]
    assert [word.text for word in words] == " ".join(LINES).split()
    assert all(word.engine == "trocr" and (word.confidence or 0) > 80 for word in words)
    (tuesday,) = (word.box for word in words if word.text == "Tuesday")
    font = ImageFont.load_default(size=64)
    assert tuesday.left == pytest.approx(180 + font.getlength("the river rose again on "), abs=60)
    assert tuesday.right == pytest.approx(180 + font.getlength("the river rose again on Tuesday"), abs=40)


@needs_torch
@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"batch_size": 1},
        {"num_beams": 3},
        {"dtype": "float32"},
        {"dtype": "bfloat16"},
        {"dtype": "int8"},
        {"device": "cuda"},
        {"device": "cuda", "dtype": "float32", "num_beams": 3},
    ],
)
def test_lines_in_any_order_and_number_format_keep_their_texts(model: Path, setting: dict[str, object]) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    needs_hardware(setting)
    rng = np.random.default_rng(11)
    order = [4, 0, 3, 1, 2, 0]
    crops = line_crops()
    reader = TrocrReader(TrocrOptions(model=str(model), **setting))
    readings = reader.read([vary(crops[number], rng) for number in order])
    assert [reading.text for reading in readings] == [LINES[number] for number in order]
    assert setting.get("dtype") in (None, reader.dtype)


@needs_torch
@pytest.mark.parametrize("setting", [{}, {"dtype": "int8"}])
def test_noise_gets_low_confidence_and_blank_paper_has_no_text(model: Path, setting: dict[str, object]) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    needs_hardware(setting)
    rng = np.random.default_rng(5)
    noise = [rng.integers(0, 256, (60, 200 + 100 * width), np.uint8) for width in range(6)]
    blank = np.full((60, 500, 3), 240, np.uint8)
    lines = line_crops()
    reader = TrocrReader(TrocrOptions(model=str(model), **setting))
    *noisy, nothing, first = reader.read([*noise, blank, lines[0]])
    assert nothing.words == ()
    assert (first.confidence or 0) > 90
    assert all((reading.confidence or 0) < 50 for reading in noisy)


@needs_torch
def test_an_int8_layer_approximates_the_float_layer() -> None:
    import torch

    from inkstream.ocr_core.engines.trocr.cpu import Int8Linear

    needs_hardware({"dtype": "int8"})
    torch.manual_seed(2)
    linear = torch.nn.Linear(48, 96).eval()
    with torch.inference_mode():
        for shift in (-3.0, 0.0, 3.0):
            inputs = torch.randn(1, 60, 48) + shift
            for gelu, expected in ((False, linear(inputs)), (True, torch.nn.functional.gelu(linear(inputs)))):
                error = (Int8Linear(linear, gelu=gelu)(inputs) - expected).norm() / expected.norm()
                assert float(error) < 0.02
        assert torch.allclose(Int8Linear(linear)(torch.zeros(1, 48)), linear.bias)


@needs_torch
def test_bfloat16_attention_approximates_float32_attention() -> None:
    import torch
    from transformers import ViTConfig, ViTModel

    from inkstream.ocr_core.engines.trocr.cpu import attend_in_bfloat16

    torch.manual_seed(2)
    shape = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "intermediate_size": 96}
    encoder = ViTModel(ViTConfig(**shape, image_size=64), add_pooling_layer=False).eval()
    pixels = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = encoder(pixels).last_hidden_state
        attend_in_bfloat16(encoder)
        error = (encoder(pixels).last_hidden_state - expected).norm() / expected.norm()
    assert 0 < float(error) < 0.01


@needs_torch
def test_the_check_rejects_int8_on_a_processor_without_vnni(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "has_int8", lambda: False)
    (check,) = (check for check in check_environment(options_for(model, dtype="int8")) if check.name == "trocr model")
    assert "VNNI" in check.detail
    assert check.remedy == "set dtype to auto"


@needs_torch
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "int8"])
def test_a_decoder_may_differ_in_width_from_the_encoder(model: Path, tmp_path: Path, dtype: str) -> None:
    import torch
    from transformers import VisionEncoderDecoderConfig, VisionEncoderDecoderModel

    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    needs_hardware({"dtype": dtype})
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    known = json.loads((copy / "config.json").read_bytes())
    known["decoder"] |= {"d_model": 64, "cross_attention_hidden_size": None}
    torch.manual_seed(7)
    network = VisionEncoderDecoderModel(VisionEncoderDecoderConfig.from_dict(known))
    network.decoder.output_projection.weight.data[:4] = 0  # otherwise its first token would be the end token
    network.save_pretrained(copy)
    (reading,) = TrocrReader(TrocrOptions(model=str(copy), dtype=dtype, max_new_tokens=4)).read([line_crops()[0]])
    assert reading.words
    assert all(0 <= word.confidence <= 100 for word in reading.words)


@needs_torch
def test_trocr_rereads_the_lines_that_tesseract_doubts(model: Path, tmp_path: Path) -> None:
    page().save(tmp_path / "page.png")
    options = options_for(model).model_dump(mode="json")
    options["recognize"] |= {"engine": "auto", "routing": {"second": "trocr", "threshold": 100}}
    (result,) = read_document(tmp_path / "page.png", PipelineOptions.model_validate(options), sandboxed=False)
    seconds = [c.text for decision in result.routing for c in decision.candidates if c.engine == "trocr"]
    assert set(seconds) & set(LINES)
    assert result.text == "\n".join(LINES)


@needs_torch
def test_a_truncated_line_gets_less_confidence(model: Path) -> None:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    crop = line_crops()[1]
    (cut,) = TrocrReader(TrocrOptions(model=str(model), max_new_tokens=3)).read([crop])
    (whole,) = TrocrReader(TrocrOptions(model=str(model))).read([crop])
    assert whole.text.startswith(cut.text)
    assert cut.text != whole.text
    assert (cut.confidence or 0) < 0.8 * (whole.confidence or 0)


@needs_torch
def test_the_model_outlives_page_processes_and_is_reloaded_if_it_dies(model: Path, tmp_path: Path) -> None:
    page().save(tmp_path / "page.tiff", save_all=True, append_images=[page()] * 3)
    pids: set[int | None] = set()
    with PageWorker(options_for(model), LimitOptions(recycle_after=2)) as worker:
        for pages, killed in (([0, 1], False), ([2], False), ([3], True)):
            worker.start()
            assert worker.pid is not None
            assert worker.model_pid is not None
            pids.add(worker.pid)
            assert not _has_torch(worker.pid), "the process that decodes documents never loads the model"
            assert _has_torch(worker.model_pid)
            before = worker.model_pid
            if killed:
                os.kill(worker.model_pid, signal.SIGKILL)
            assert [r.text for r in worker.pages(tmp_path / "page.tiff", pages)] == ["\n".join(LINES)] * len(pages)
            assert (worker.model_pid != before) == killed
    assert len(pids) >= 2


def _has_torch(pid: int) -> bool:
    return "libtorch" in Path(f"/proc/{pid}/maps").read_text()


@needs_torch
def test_similar_lines_of_several_pages_share_a_batch(model: Path) -> None:
    """The test records which lines the model gets in each batch."""
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    reader = TrocrReader(TrocrOptions(model=str(model), batch_size=2))
    seen: list[list[str]] = []
    read = reader._read

    def watched(crops: list[np.ndarray], **overrides: int) -> list[Reading]:
        readings = list(read(crops, **overrides))
        seen.append([reading.text for reading in readings])
        return readings

    reader._read = watched  # type: ignore[method-assign, assignment]
    reader.read(line_crops() * 2)
    assert sorted(map(tuple, seen)) == sorted((line, line) for line in LINES)


@needs_torch
def test_a_model_that_cannot_be_loaded_is_an_environment_fault(model: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    page().save(tmp_path / "page.png")
    with pytest.raises(EnvironmentFault, match="cannot be loaded as a TrOCR model"):
        list(read_document(tmp_path / "page.png", options_for(broken)))


@needs_torch
def test_the_pipeline_id_covers_model_content_and_decoding_options(model: Path, tmp_path: Path) -> None:
    def id_of(folder: Path, **trocr: object) -> str:
        options = options_for(folder, **trocr)
        return pipeline_id(options, engine_versions(options))

    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    assert id_of(model) == id_of(copy) == id_of(model, batch_size=2, device="cpu", revision="v1")
    assert id_of(model) != id_of(model, num_beams=4)
    assert id_of(model, dtype="float32") != id_of(model, dtype="bfloat16")
    tokenizer = json.loads((copy / "tokenizer_config.json").read_bytes())
    (copy / "tokenizer_config.json").write_text(json.dumps({**tokenizer, "note": "fine-tuned"}))
    assert id_of(model) != id_of(copy)


@needs_torch
@pytest.mark.parametrize(
    ("file", "content", "problem", "remedy"),
    [
        ("config.json", None, "holds no config.json", "copy the whole folder"),
        ("config.json", b'{"model_type": "vit"}', "its model_type is vit", "set recognize.trocr.model"),
        ("config.json", b"[]", "not a JSON object", "copy the whole folder"),
        ("model.safetensors", None, "holds no weights", "copy the whole folder"),
        ("tokenizer.json", None, "holds no tokenizer", "copy the whole folder"),
        ("processor_config.json", None, "holds no image processor", "copy the whole folder"),
    ],
)
def test_the_check_names_the_missing_or_invalid_part_of_a_model(
    model: Path, tmp_path: Path, file: str, content: bytes | None, problem: str, remedy: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(model, copy)
    (copy / file).unlink()
    if content is not None:
        (copy / file).write_bytes(content)
    (check,) = (check for check in check_environment(options_for(copy)) if check.name == "trocr model")
    assert not check.ok
    assert problem in check.detail
    assert remedy in check.remedy


@needs_torch
def test_pickled_weights_are_rejected_with_a_working_conversion_command(model: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    import torch
    from safetensors.torch import load_file

    old = tmp_path / "old model"
    shutil.copytree(model, old)
    torch.save(load_file(old / "model.safetensors"), old / "pytorch_model.bin")
    (old / "model.safetensors").unlink()
    (check,) = (check for check in check_environment(options_for(old)) if check.name == "trocr model")
    assert "only safetensors are loaded" in check.detail
    command = check.remedy.partition(", and set")[0].replace("python", sys.executable, 1)
    subprocess.run(command, shell=True, check=True, cwd=tmp_path, capture_output=True, timeout=120)
    page().save(tmp_path / "page.png")
    (result,) = read_document(tmp_path / "page.png", options_for(tmp_path / "trocr-model"), sandboxed=False)
    assert result.text == "\n".join(LINES)


@needs_torch
def test_the_remedy_for_a_model_on_the_hub_is_its_download_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    wanted = options_for("microsoft/trocr-small-handwritten", revision="0123abc")
    (check,) = (check for check in check_environment(wanted) if check.name == "trocr model")
    assert check.remedy == "hf download microsoft/trocr-small-handwritten --revision 0123abc"
    nowhere = options_for("/nowhere/model")
    (check,) = (check for check in check_environment(nowhere) if check.name == "trocr model")
    assert "there is no folder /nowhere/model" in check.detail


@needs_torch
def test_a_model_in_the_hub_s_cache_is_found_by_its_revision(
    model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = tmp_path / "models--archive--hand" / "snapshots" / commit
    shutil.copytree(model, snapshot)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text(commit)
    for revision in ("main", commit):
        assert find_model(TrocrOptions(model="archive/hand", revision=revision)) == snapshot
    with pytest.raises(EnvironmentFault, match="at revision v2 is not in"):
        find_model(TrocrOptions(model="archive/hand", revision="v2"))


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_the_check_without_torch_names_the_install_command() -> None:
    (check,) = (check for check in check_environment(options_for("a/b")) if check.name == "trocr model")
    assert check.remedy == install_command("trocr")

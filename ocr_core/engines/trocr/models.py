"""Finding and checking TrOCR models, without loading torch."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement

from inkstream.ocr_core.engines.trocr import processor
from inkstream.ocr_core.engines.versions import HASH_DIGITS, file_hash
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import install_command, package_command

if TYPE_CHECKING:
    from inkstream.ocr_core.options import TrocrOptions

PACKAGES = ("torch", "transformers")
"""Packages whose versions determine the text."""
NEEDED = (*PACKAGES, "sentencepiece")

INSTALL = install_command("trocr")
_ARCHITECTURE = "vision-encoder-decoder"
_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_TOKENIZERS = ("tokenizer.json", "vocab.json", "sentencepiece.bpe.model", "tokenizer.model", "vocab.txt")
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_READ = ("*.json", "*.safetensors", "*.model", "*.txt")
"""Files of a model's folder that determine the text."""


def find_model(options: TrocrOptions) -> Path:
    """Return the folder of a complete model.

    Args:
        options: `model` is a folder, or the hub id of a model that was downloaded before; `revision` is its revision.

    Raises:
        EnvironmentFault: If the model or a part of it is missing, a package has the wrong version, or the machine lacks
            the device or number format. The remedy says how to get it.
    """
    _check_versions()
    if options.device == "cuda" and metadata.version("torch").endswith("+cpu"):
        raise EnvironmentFault(
            f"recognize.trocr.device is cuda, but torch {metadata.version('torch')} is built without CUDA",
            f"{package_command('--force-reinstall', 'torch')}, from an index with CUDA builds; or set device to auto",
        )
    if options.dtype == "int8" and not processor.has_int8():
        raise EnvironmentFault(
            "recognize.trocr.dtype is int8, but this processor has no VNNI instructions", "set dtype to auto"
        )
    folder = _folder(options)
    _check(folder, options)
    return folder


def folder_hash(folder: Path) -> str:
    """Return 16 hexadecimal digits that change with any file of a model but not with its path.

    Args:
        folder: From `find_model`.
    """
    files = sorted({file for pattern in _READ for file in folder.glob(pattern)}, key=lambda file: file.name)
    text = "\n".join(f"{file.name} {file_hash(file)}" for file in files)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_DIGITS]


def _check_versions() -> None:
    """Check installed versions against the extra: some versions of transformers cannot load the hub's models."""
    for line in metadata.requires("inkstream") or ():
        wanted = Requirement(line)
        found = metadata.version(wanted.name) if wanted.name in NEEDED else None
        if found is not None and not wanted.specifier.contains(found, prereleases=True):
            raise EnvironmentFault(
                f"the engine trocr needs {wanted.name} {wanted.specifier}, but {found} is installed", INSTALL
            )


def _folder(options: TrocrOptions) -> Path:
    own = Path(options.model).expanduser()
    if own.is_dir():
        return own
    if not _HUB_ID.fullmatch(options.model):
        raise EnvironmentFault(
            f"there is no folder {own}", "set recognize.trocr.model to a model's folder, or to its id on the hub"
        )
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.constants import HF_HUB_CACHE

    found = try_to_load_from_cache(options.model, "config.json", revision=options.revision)
    if not isinstance(found, str):
        at = "" if options.revision == "main" else f" at revision {options.revision}"
        raise EnvironmentFault(
            f"the model {options.model}{at} is not in {HF_HUB_CACHE}, and nothing is downloaded while pages are read",
            _download(options),
        )
    return Path(found).parent


def _download(options: TrocrOptions) -> str:
    revision = "" if options.revision == "main" else f" --revision {shlex.quote(options.revision)}"
    return f"hf download {options.model}{revision}"


def _check(folder: Path, options: TrocrOptions) -> None:
    own = folder == Path(options.model).expanduser()
    again = "copy the whole folder that save_pretrained wrote" if own else _download(options)
    config = folder / "config.json"
    if not config.is_file():
        raise EnvironmentFault(f"{folder} holds no config.json", again)
    try:
        kind = json.loads(config.read_bytes()).get("model_type")
    except (ValueError, AttributeError) as error:
        raise EnvironmentFault(f"{config} is not a JSON object: {error}", again) from error
    if kind != _ARCHITECTURE:
        raise EnvironmentFault(
            f"{folder} is not a TrOCR model: its model_type is {kind}, not {_ARCHITECTURE}",
            "set recognize.trocr.model to a TrOCR model, such as microsoft/trocr-base-handwritten",
        )
    if not any(folder.glob("*.safetensors")):
        if (folder / "pytorch_model.bin").is_file():
            raise EnvironmentFault(
                f"{folder} has its weights in pytorch_model.bin; only safetensors are loaded", _conversion(folder)
            )
        raise EnvironmentFault(f"{folder} holds no weights (*.safetensors)", again)
    for part, names in (("tokenizer", _TOKENIZERS), ("image processor", _PROCESSORS)):
        if not any((folder / name).is_file() for name in names):
            raise EnvironmentFault(f"{folder} holds no {part} (none of {', '.join(names)})", again)


def _conversion(folder: Path) -> str:
    """Return the command that converts a pickle to safetensors; torch unpickles only tensors in it."""
    code = (
        "import sys; from transformers import TrOCRProcessor, VisionEncoderDecoderModel; "
        "source, target = sys.argv[1:]; [part.from_pretrained(source, local_files_only=True).save_pretrained(target) "
        "for part in (VisionEncoderDecoderModel, TrOCRProcessor)]"
    )
    return f'python -c "{code}" {shlex.quote(str(folder))} trocr-model, and set recognize.trocr.model to that folder'

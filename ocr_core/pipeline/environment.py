"""What this machine has, what it lacks, and what made a page."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from inkstream.ocr_core.documents.passwords import FILE_VARIABLE, VARIABLE, pdf_passwords
from inkstream.ocr_core.engines.ppocr.models import find_model
from inkstream.ocr_core.engines.tesseract.engine import find_models, resolve_binding, wanted_models
from inkstream.ocr_core.engines.tesseract.osd import DATA, find_osd
from inkstream.ocr_core.engines.tesseract.tessdata import Wanted, describe_model, find_tessdata, model_path
from inkstream.ocr_core.engines.trocr import models as trocr_models
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import package_command, system_command
from inkstream.ocr_core.options import PipelineOptions, TextLayerMode

_SHORT = 16
_PACKAGES = ("pypdfium2", "pikepdf", "pillow", "numpy")
_ELSEWHERE = {"ppocr": ("model",), "trocr": ("model", "revision", "device", "batch_size")}
"""Options of line readers that the fingerprint leaves out: models are known by their hashes."""


Part = Literal["pages", "lines"]
"""What a machine does: everything up to crops of lines and from their readings on; or the reading."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a pipeline needs of its machine.

    Attributes:
        name: What was looked at.
        ok: Whether it is there.
        detail: What was found, or what is missing.
        remedy: What to do about it; with `ok` a thing to consider, and usually empty.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def check_environment(options: PipelineOptions, part: Part | None = None) -> list[Check]:
    """Looks for everything the options need, or one part of the work, without starting any engine."""
    checks = [] if part == "lines" else _check_pages(options)
    models = _ppocr_models(options, part)
    if models:
        checks.append(_check("ppocr models", lambda: ", ".join(str(find()) for find in models.values())))
    if part != "pages" and options.loads_model:
        checks.append(_check("trocr model", lambda: _find_trocr(options)))
    if part != "lines" and options.draw and options.draw.font:
        checks.append(_check("label font", partial(_find_font, options.draw.font)))
    return checks


def _check_pages(options: PipelineOptions) -> list[Check]:
    checks = [_check("packages", _find_packages(options))]
    if os.environ.keys() & {VARIABLE, FILE_VARIABLE}:
        checks.append(_check("pdf passwords", lambda: f"{len(pdf_passwords())} in the environment"))
    if _uses_tesseract(options):
        checks.append(_check("tesseract binding", lambda: _find_binding(options)))
        checks += _check_models(options)
    if _finds_orientation(options):
        checks.append(_check("tesseract orientation", lambda: _find_orientation(options)))
    return checks


def require_environment(options: PipelineOptions, part: Part | None = None) -> None:
    """Raises EnvironmentFault for the first thing that is missing."""
    for check in check_environment(options, part):
        if not check.ok:
            raise EnvironmentFault(check.detail, check.remedy)


def engine_versions(options: PipelineOptions, part: Part | None = None) -> dict[str, str]:
    """Returns the versions of everything that shapes a page's result, or one part of it, and the hashes of the models.

    Raises:
        EnvironmentFault: If something is missing.
    """
    versions = {} if part == "lines" else _page_versions(options)
    models = _ppocr_models(options, part)
    for kind, find in models.items():
        model = find()
        versions[f"model:{kind}"] = f"{model.stem} {model_hash(model)}"
        versions["onnxruntime"] = _package_version("onnxruntime")
    if "ppocr-rec" in models and options.recognize.ppocr.lexicon:
        versions["pyspellchecker"] = _package_version("pyspellchecker")
    if part != "pages" and options.loads_model:
        folder = trocr_models.find_model(options.recognize.trocr)
        versions["model:trocr"] = trocr_models.model_hash(folder, model_hash)
        versions |= {name: _package_version(name) for name in trocr_models.PACKAGES}
    return versions


def joined_versions(pages: dict[str, str], lines: dict[str, str]) -> dict[str, str]:
    """Returns the versions of both parts as one; both where they differ."""
    differ = {name: f"{pages[name]} and {lines[name]}" for name in pages.keys() & lines if pages[name] != lines[name]}
    return {**pages, **lines, **differ}


def _page_versions(options: PipelineOptions) -> dict[str, str]:
    versions = {name: _package_version(name) for name in _PACKAGES}
    versions["pdfium"] = _pdfium_version()
    if _uses_doxapy(options):
        versions["doxapy"] = _package_version("doxapy")
    if _uses_tesseract(options):
        recognize = options.recognize
        binding = resolve_binding(recognize)
        versions["tesseract"] = _tesseract_version(binding)
        folder = find_models(recognize)
        for language in recognize.languages:
            versions[f"model:{language}"] = model_hash(model_path(folder, language))
    if _finds_orientation(options):
        versions[f"model:{DATA}"] = model_hash(model_path(find_osd(options.recognize), DATA))
    return versions


def pipeline_id(options: PipelineOptions, versions: dict[str, str]) -> str:
    """Returns the fingerprint of what made a row: the options that change the output, and the versions.

    Args:
        options: The pipeline; where its data lies, which binding calls it and how long it may take do not
            count.
        versions: From `engine_versions`.

    Returns:
        16 hexadecimal digits.
    """
    output = options.model_dump(mode="json")
    for name in ("tessdata", "model_type", "binding", "time_limit"):
        del output["recognize"][name]
    if options.detect is not None:
        del output["detect"]["model"]  # models are known by their hashes
    recognize, reader = output["recognize"], options.recognize.line_reader
    for engine, elsewhere in _ELSEWHERE.items():
        for name in elsewhere:
            del recognize[engine][name]
        if engine != reader:
            del recognize[engine]
    if options.recognize.engine != "auto":
        del recognize["routing"]
    if reader is None:
        del recognize["lines"]
    text = json.dumps({"options": output, "versions": versions}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT]


def model_hash(path: Path) -> str:
    """Returns the first 16 hexadecimal digits of a model file's SHA-256."""
    stat = path.stat()
    return _hash(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash(path: Path, _size: int, _mtime: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_SHORT]


def _reads_pixels(options: PipelineOptions) -> bool:
    return options.text_layer.mode is not TextLayerMode.ONLY


def _uses_doxapy(options: PipelineOptions) -> bool:
    binarize = options.preprocess.binarize
    return binarize is not None and binarize.method not in ("threshold", "mean", "gaussian")


def _finds_orientation(options: PipelineOptions) -> bool:
    orient = options.preprocess.orient
    return _reads_pixels(options) and orient is not None and orient.angle is None


def _uses_tesseract(options: PipelineOptions) -> bool:
    detects = options.detection is not None and options.detection.engine == "tesseract"
    return _reads_pixels(options) and (detects or options.recognize.engine in ("tesseract", "auto"))


def _find_trocr(options: PipelineOptions) -> str:
    folder = trocr_models.find_model(options.recognize.trocr)
    return f"{folder}, {', '.join(f'{name} {_package_version(name)}' for name in trocr_models.PACKAGES)}"


def _ppocr_models(options: PipelineOptions, part: Part | None) -> dict[str, Callable[[], Path]]:
    """Returns how each PP-OCR model that a part of the work needs is found."""
    needed: dict[str, Callable[[], Path]] = {}
    if not _reads_pixels(options):
        return needed
    finder, recognize = options.finder, options.recognize
    if finder is not None and part != "lines":
        needed["ppocr-det"] = lambda: find_model("det", finder.model)
    if recognize.line_reader == "ppocr" and part != "pages":
        needed["ppocr-rec"] = lambda: find_model("rec", recognize.ppocr.model)
    return needed


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except EnvironmentFault as fault:
        return Check(name, False, fault.problem, fault.remedy)


def _check_models(options: PipelineOptions) -> list[Check]:
    """Looks at each language by itself, and then whether one folder holds them all."""
    wanted, languages = wanted_models(options.recognize), options.recognize.languages
    checks = [_check(f"tesseract language {name}", partial(_find_model, wanted, name)) for name in languages]
    if len(languages) > 1 and all(check.ok for check in checks):
        together = _check("tesseract languages together", partial(_find_together, wanted, languages))
        checks += [] if together.ok else [together]
    return checks


def _find_together(wanted: Wanted, languages: tuple[str, ...]) -> str:
    try:
        return str(find_tessdata(wanted, languages))
    except EnvironmentFault:
        paths = [str(model_path(find_tessdata(wanted, (name,)), name)) for name in languages]
        raise EnvironmentFault(
            f"Tesseract reads all languages from one folder, and these are in several: {', '.join(paths)}",
            f"mkdir -p tessdata && ln -s {shlex.join(paths)} tessdata/ and set recognize.tessdata to that folder",
        ) from None


def _find_model(wanted: Wanted, language: str) -> str:
    return describe_model(model_path(find_tessdata(wanted, (language,)), language))


def _find_orientation(options: PipelineOptions) -> str:
    return describe_model(model_path(find_osd(options.recognize), DATA))


def _find_packages(options: PipelineOptions) -> Callable[[], str]:
    modules = {"pypdfium2": "pypdfium2", "pikepdf": "pikepdf", "pillow": "PIL", "numpy": "numpy"}
    if _uses_doxapy(options):
        modules["doxapy"] = "doxapy"

    def look() -> str:
        missing = [name for name, module in modules.items() if find_spec(module) is None]
        if missing:
            raise EnvironmentFault(
                f"Python packages are not installed: {', '.join(missing)}",
                package_command(*missing),
            )
        return ", ".join(f"{name} {_package_version(name)}" for name in modules)

    return look


def _find_font(path: str) -> str:
    from inkstream.ocr_core.stages.draw.fonts import load_font

    return f"{path}: {' '.join(filter(None, load_font(path, 12).getname()))}"


def _find_binding(options: PipelineOptions) -> str:
    binding = resolve_binding(options.recognize)
    return f"{binding} {_package_version(binding)}, {_tesseract_version(binding)}"


@lru_cache(maxsize=32)
def _package_version(name: str) -> str:
    return metadata.version(name)


@lru_cache(maxsize=1)
def _pdfium_version() -> str:
    from pypdfium2.version import PDFIUM_INFO

    return str(PDFIUM_INFO)


@lru_cache(maxsize=2)
def _tesseract_version(binding: str) -> str:
    if binding == "tesserocr":
        import tesserocr

        return str(tesserocr.tesseract_version().split("\n")[0].strip())
    program = shutil.which("tesseract")
    if program is None:
        raise EnvironmentFault("the program tesseract is not installed", system_command("tesseract-ocr"))
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise EnvironmentFault(
            f"{program} does not run: {error}", system_command("tesseract-ocr", again=True)
        ) from error
    return (answer.stdout or answer.stderr).split("\n")[0].strip()

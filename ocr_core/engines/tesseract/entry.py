"""Tesseract's registry entries: a page reader and a region finder; also the requirements of page orientation."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from inkstream.ocr_core.engines.entry import Check, PageEngine, RegionFinder, checked
from inkstream.ocr_core.engines.tesseract.engine import ENGINE, find_models, resolve_binding, wanted_models
from inkstream.ocr_core.engines.tesseract.osd import DATA, find_osd
from inkstream.ocr_core.engines.tesseract.tessdata import Wanted, describe_model, find_tessdata, model_path
from inkstream.ocr_core.engines.versions import file_hash, package_version
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import system_command
from inkstream.ocr_core.options.recognize import DetectOptions, RecognizeOptions

if TYPE_CHECKING:
    from inkstream.ocr_core.engines.page_reader import PageReader
    from inkstream.ocr_core.page import Region
    from inkstream.ocr_core.pixels import Pixels


def checks(options: RecognizeOptions) -> Iterator[Check]:
    """Check the binding, the program and the language data."""
    yield checked("tesseract binding", lambda: _describe_binding(options))
    yield from _check_languages(wanted_models(options), options.languages)


def versions(options: RecognizeOptions) -> dict[str, str]:
    """Return Tesseract's version and the hashes of the language data."""
    folder = find_models(options)
    models = {f"model:{name}": file_hash(model_path(folder, name)) for name in options.languages}
    return {"tesseract": tesseract_version(resolve_binding(options)), **models}


def orientation_checks(options: RecognizeOptions) -> Iterator[Check]:
    """Check the data that orientation detection needs."""
    yield checked("tesseract orientation", lambda: describe_model(model_path(find_osd(options), DATA)))


def orientation_versions(options: RecognizeOptions) -> dict[str, str]:
    """Return the hash of the orientation data."""
    return {f"model:{DATA}": file_hash(model_path(find_osd(options), DATA))}


def _open(options: RecognizeOptions) -> PageReader:
    from inkstream.ocr_core.engines.tesseract.page_reader import TesseractReader

    return TesseractReader(options)


def _find(pixels: Pixels, resolution: int, detect: DetectOptions, options: RecognizeOptions) -> tuple[Region, ...]:
    from inkstream.ocr_core.engines.tesseract.page_reader import find_regions

    return find_regions(pixels, resolution, detect, options)


TESSERACT = PageEngine(
    name=ENGINE,
    options=RecognizeOptions,
    checks=checks,
    versions=versions,
    open=_open,
    not_in_fingerprint=frozenset({"tessdata", "model_type", "binding", "time_limit"}),
)

TESSERACT_LAYOUT = RegionFinder(
    name=ENGINE,
    find=_find,
    checks=lambda _detect, options: checks(options),
    versions=lambda _detect, options: versions(options),
)


def _check_languages(wanted: Wanted, languages: tuple[str, ...]) -> list[Check]:
    """Check each language by itself, then that one folder holds them all."""
    each = [checked(f"tesseract language {name}", partial(_describe_language, wanted, name)) for name in languages]
    if len(languages) == 1 or not all(check.ok for check in each):
        return each
    together = checked("tesseract languages together", partial(_find_together, wanted, languages))
    return each if together.ok else [*each, together]


def _describe_language(wanted: Wanted, language: str) -> str:
    return describe_model(model_path(find_tessdata(wanted, (language,)), language))


def _find_together(wanted: Wanted, languages: tuple[str, ...]) -> str:
    try:
        return str(find_tessdata(wanted, languages))
    except EnvironmentFault:
        paths = [str(model_path(find_tessdata(wanted, (name,)), name)) for name in languages]
        raise EnvironmentFault(
            f"Tesseract reads all languages from one folder, but these are in several: {', '.join(paths)}",
            f"mkdir -p tessdata && ln -s {shlex.join(paths)} tessdata/ and set recognize.tessdata to that folder",
        ) from None


def _describe_binding(options: RecognizeOptions) -> str:
    binding = resolve_binding(options)
    return f"{binding} {package_version(binding)}, {tesseract_version(binding)}"


@lru_cache(maxsize=2)
def tesseract_version(binding: str) -> str:
    """Return the version of Tesseract that a binding uses, such as `tesseract 5.5.4`.

    Raises:
        EnvironmentFault: If the program is missing or does not run.
    """
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

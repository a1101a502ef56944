"""Checks of this machine, and the versions of everything that shapes a page."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec

from inkstream.ocr_core.documents.passwords import FILE_VARIABLE, VARIABLE, pdf_passwords
from inkstream.ocr_core.engines.entry import Check, Share, checked
from inkstream.ocr_core.engines.registry import uses_of
from inkstream.ocr_core.engines.versions import package_version
from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.installation import package_command
from inkstream.ocr_core.options import PipelineOptions

_MODULES = {"pypdfium2": "pypdfium2", "pikepdf": "pikepdf", "pillow": "PIL", "numpy": "numpy"}


def check_environment(options: PipelineOptions, share: Share | None = None) -> list[Check]:
    """Check for everything that the options need, without starting any engine.

    Args:
        options: The pipeline.
        share: Check only for what this share of the work needs.
    """
    checks = [] if share == "lines" else _check_documents(options)
    for use in uses_of(options):
        if share in (None, use.share):
            checks += use.checks()
    if share != "lines" and options.draw and options.draw.font:
        checks.append(checked("label font", partial(_find_font, options.draw.font)))
    return list({check.name: check for check in checks}.values())


def require_environment(options: PipelineOptions, share: Share | None = None) -> None:
    """Raise EnvironmentFault for the first thing that is missing."""
    for check in check_environment(options, share):
        if not check.ok:
            raise EnvironmentFault(check.detail, check.remedy)


def engine_versions(options: PipelineOptions, share: Share | None = None) -> dict[str, str]:
    """Return the versions of everything that shapes a page's result, and the hashes of the models.

    Args:
        options: The pipeline.
        share: Return only what shapes this share of the work.

    Raises:
        EnvironmentFault: If something is missing.
    """
    versions = {} if share == "lines" else _document_versions(options)
    for use in uses_of(options):
        if share in (None, use.share):
            versions |= use.versions()
    return versions


def joined_versions(pages: Mapping[str, str], lines: Mapping[str, str]) -> dict[str, str]:
    """Return the versions of both shares as one mapping; where they differ, both versions."""
    differ = {name: f"{pages[name]} and {lines[name]}" for name in pages.keys() & lines if pages[name] != lines[name]}
    return {**pages, **lines, **differ}


def _check_documents(options: PipelineOptions) -> list[Check]:
    checks = [checked("packages", partial(_find_packages, options))]
    if os.environ.keys() & {VARIABLE, FILE_VARIABLE}:
        checks.append(checked("pdf passwords", lambda: f"{len(pdf_passwords())} in the environment"))
    return checks


def _document_versions(options: PipelineOptions) -> dict[str, str]:
    from pypdfium2.version import PDFIUM_INFO

    versions = {name: package_version(name) for name in _modules(options)}
    return {**versions, "pdfium": str(PDFIUM_INFO)}


def _modules(options: PipelineOptions) -> dict[str, str]:
    """Return the packages that documents and pixels need, with the modules to import."""
    binarize = options.preprocess.binarize
    plain = binarize is None or binarize.method in ("threshold", "mean", "gaussian")
    return _MODULES if plain else {**_MODULES, "doxapy": "doxapy"}


def _find_packages(options: PipelineOptions) -> str:
    modules = _modules(options)
    missing = [name for name, module in modules.items() if find_spec(module) is None]
    if missing:
        raise EnvironmentFault(f"Python packages are not installed: {', '.join(missing)}", package_command(*missing))
    return ", ".join(f"{name} {package_version(name)}" for name in modules)


def _find_font(path: str) -> str:
    from inkstream.ocr_core.stages.draw.fonts import load_font

    return f"{path}: {' '.join(filter(None, load_font(path, 12).getname()))}"

"""TrOCR's registry entry: a line reader that runs in a process of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inkstream.ocr_core.engines.entry import LineEngine, checked
from inkstream.ocr_core.engines.trocr import ENGINE
from inkstream.ocr_core.engines.trocr.models import INSTALL, NEEDED, PACKAGES, find_model, folder_hash
from inkstream.ocr_core.engines.versions import package_version
from inkstream.ocr_core.options.lines import TrocrOptions
from inkstream.ocr_core.options.recognize import DetectOptions

if TYPE_CHECKING:
    from inkstream.ocr_core.engines.line_reader import LineReader


def _open(options: TrocrOptions) -> LineReader:
    from inkstream.ocr_core.engines.trocr.reader import TrocrReader

    return TrocrReader(options)


def _packages() -> dict[str, str]:
    return {name: package_version(name) for name in PACKAGES}


def _describe(options: TrocrOptions) -> str:
    folder = find_model(options)
    return ", ".join([str(folder), *(f"{name} {version}" for name, version in _packages().items())])


def _versions(options: TrocrOptions) -> dict[str, str]:
    return {"model:trocr": folder_hash(find_model(options)), **_packages()}


TROCR = LineEngine(
    name=ENGINE,
    options=TrocrOptions,
    checks=lambda options: [checked("trocr model", lambda: _describe(options))],
    versions=_versions,
    requires=NEEDED,
    install=INSTALL,
    not_in_fingerprint=frozenset({"model", "revision", "device", "batch_size"}),
    open=_open,
    detect=DetectOptions(engine="ppocr"),
    own_process=True,
)

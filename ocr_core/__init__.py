"""The page-processing library of Inkstream: bytes in, page results out, with no orchestrator.

from ocr_core import read_document

for page in read_document("scan.pdf"):
    print(page.pagenum, page.confidence, page.text)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocr_core.document import Document, open_document
    from ocr_core.environment import (
        Check,
        check_environment,
        engine_versions,
        pipeline_id,
        require_environment,
    )
    from ocr_core.errors import (
        ConfigError,
        DocumentError,
        EnvironmentFault,
        FailureKind,
        InkstreamError,
        TransientError,
    )
    from ocr_core.formats import probe
    from ocr_core.geometry import Affine, Box
    from ocr_core.limits import LimitOptions
    from ocr_core.options import PipelineOptions
    from ocr_core.page import DocumentInfo, Failure, Level, PageResult, Region
    from ocr_core.page_worker import PageWorker
    from ocr_core.pipeline import Pipeline, Stage, WorkingPage, build_pipeline
    from ocr_core.reading import read_document
    from ocr_core.sandbox import Sandbox

__all__ = [
    "Affine",
    "Box",
    "Check",
    "ConfigError",
    "Document",
    "DocumentError",
    "DocumentInfo",
    "EnvironmentFault",
    "Failure",
    "FailureKind",
    "InkstreamError",
    "Level",
    "LimitOptions",
    "PageResult",
    "PageWorker",
    "Pipeline",
    "PipelineOptions",
    "Region",
    "Sandbox",
    "Stage",
    "TransientError",
    "WorkingPage",
    "build_pipeline",
    "check_environment",
    "engine_versions",
    "open_document",
    "pipeline_id",
    "probe",
    "read_document",
    "require_environment",
]

_HOMES = {
    "document": ("Document", "open_document"),
    "environment": (
        "Check",
        "check_environment",
        "engine_versions",
        "pipeline_id",
        "require_environment",
    ),
    "errors": (
        "ConfigError",
        "DocumentError",
        "EnvironmentFault",
        "FailureKind",
        "InkstreamError",
        "TransientError",
    ),
    "formats": ("probe",),
    "geometry": ("Affine", "Box"),
    "limits": ("LimitOptions",),
    "options": ("PipelineOptions",),
    "page": ("DocumentInfo", "Failure", "Level", "PageResult", "Region"),
    "page_worker": ("PageWorker",),
    "pipeline": ("Pipeline", "Stage", "WorkingPage", "build_pipeline"),
    "reading": ("read_document",),
    "sandbox": ("Sandbox",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Imports a public name on first use, so that `import ocr_core` loads no native library."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

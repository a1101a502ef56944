"""The public names of Inkstream."""

from __future__ import annotations

import subprocess
import sys

import pytest

import inkstream

PUBLIC = [
    "Affine",
    "Box",
    "Check",
    "ConfigError",
    "DetectOptions",
    "Document",
    "DocumentError",
    "DocumentInfo",
    "EngineOptions",
    "EnvironmentFault",
    "Failure",
    "FailureKind",
    "InkstreamError",
    "Level",
    "LimitOptions",
    "LineEngine",
    "PageEngine",
    "PageResult",
    "PageWorker",
    "Pipeline",
    "PipelineOptions",
    "ReadWord",
    "Reading",
    "Region",
    "Sandbox",
    "Stage",
    "Stream",
    "StreamConfig",
    "StreamingQuery",
    "Summary",
    "TransientError",
    "WorkingPage",
    "build_config",
    "build_pipeline",
    "check_environment",
    "checked",
    "engine_versions",
    "open_document",
    "pipeline_id",
    "probe",
    "read_document",
    "require_environment",
]


def test_the_public_names_are_exactly_these() -> None:
    assert sorted(vars(inkstream)["__all__"]) == PUBLIC
    assert set(dir(inkstream)) >= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_can_be_imported(name: str) -> None:
    assert getattr(inkstream, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        inkstream.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_no_submodules() -> None:
    code = "import sys, inkstream; print([m for m in sys.modules if m.startswith('inkstream.')])"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"

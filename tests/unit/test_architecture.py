"""Imports go in one direction, and forbidden imports do not exist."""

from __future__ import annotations

import subprocess
import sys
from graphlib import TopologicalSorter

import grimp
import pytest


def test_imports_run_one_way() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("inkstream")
    assert len(graph.modules) > 250
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        (
            "import inkstream.flows.cli",
            ("prefect", "distributed", "deltalake", "pyarrow", "numpy", "torch", "tesserocr"),
        ),
        (
            "import inkstream.ocr_core.options, inkstream.tasks.config",
            ("prefect", "distributed", "deltalake", "numpy", "PIL"),
        ),
        ("import inkstream; inkstream.build_config", ("prefect", "distributed", "deltalake")),
        ("import inkstream.flows.loop.drain", ("prefect", "torch")),
    ],
)
def test_heavy_imports_are_lazy(statement: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys\n{statement}\nprint([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""Rules for the source code: the direction of imports, lazy heavy imports, class names, and lengths."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from statistics import median

import grimp
import pytest

from inkstream.ocr_core.installation import MODULES
from tests.places import ROOT

FILES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for package in ("deployments", "flows", "ocr_core", "tasks")
    for path in (ROOT / package).rglob("*.py")
}
NODES = [node for text in FILES.values() for node in ast.walk(ast.parse(text))]


OF_EXTRAS = ("engines/ppocr/", "engines/trocr/", "documents/heif.py")
"""Modules of ocr_core that are used only with an extra."""


def test_imports_run_one_way() -> None:
    process = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = grimp.build_graph("inkstream")
    assert len(graph.modules) > 250
    TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules}).prepare()


@pytest.mark.parametrize(
    ("statement", "heavy"),
    [
        (
            "import inkstream.flows.cli",
            ("prefect", "distributed", "deltalake", "pyarrow", "numpy", "torch", "tesserocr", "pydantic", "yaml"),
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
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"


def test_the_core_imports_no_module_of_an_extra() -> None:
    """Reading pages works without any extra: only an engine, or the format that needs one, may import its modules."""
    extras = {module: extra for extra, modules in MODULES.items() for module in modules}
    found = {}
    for path in sorted((ROOT / "ocr_core").rglob("*.py")):
        name = path.relative_to(ROOT / "ocr_core").as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names]
                needed = {extras[top] for module in modules if (top := module.partition(".")[0]) in extras}
                if needed and not name.startswith(OF_EXTRAS):
                    found[name] = needed
    assert found == {}


def test_no_two_classes_share_a_name() -> None:
    names = Counter(node.name for node in NODES if isinstance(node, ast.ClassDef))
    assert [name for name, count in names.items() if count > 1] == []


def test_functions_and_files_stay_short() -> None:
    functions = [node for node in NODES if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = [(node.end_lineno or node.lineno) - node.lineno + 1 for node in functions]
    assert [node.name for node, count in zip(functions, lines, strict=True) if count > 60] == []
    assert median(lines) <= 8
    assert [name for name, text in FILES.items() if text.count("\n") > 400] == []

"""A test run's report ends with the skipped tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.places import ROOT

TESTS = """
import pytest

@pytest.mark.skipif(True, reason="the program is not installed")
@pytest.mark.parametrize("n", [1, 2])
def test_that_needs_the_program(n): ...

def test_that_needs_the_service():
    pytest.skip("there is no service")

def test_that_runs(): ...
"""


def test_each_reason_is_listed_with_its_tests(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.skipped", "-n", "1", "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )
    *_, report = process.stdout.partition("what was skipped, and why")
    assert report.splitlines()[1:-1] == [
        "the program is not installed",
        "    test_it.py::test_that_needs_the_program[1]",
        "    test_it.py::test_that_needs_the_program[2]",
        "there is no service",
        "    test_it.py::test_that_needs_the_service",
    ]
    assert "1 passed, 3 skipped" in report

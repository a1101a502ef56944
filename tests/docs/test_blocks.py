"""Every block of code in the documentation: programs and queries run, configurations are valid, shell parses."""

from __future__ import annotations

import configparser
import contextlib
import io
import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest
from deltalake import DeltaTable
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from inkstream.tasks.config import build_config, load_config_file
from tests.docs.blocks import SHELL, Block, all_blocks, blocks

pytestmark = pytest.mark.usefixtures("shared_workers")

LANGUAGES = {*SHELL, "python", "sql", "yaml", "json", "ini", "toml", "text"}
PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}
NOT_RUN = Counter(
    {
        "benchmarks/README.md": 1,
        "docs/how-to/follow-s3-events.md": 2,
        "docs/how-to/install.md": 3,
        "docs/how-to/read-encrypted-pdfs.md": 1,
        "docs/how-to/read-handwriting-and-photos.md": 4,
        "docs/how-to/renew-the-lock.md": 1,
        "docs/how-to/run-a-prefect-server.md": 3,
        "docs/how-to/run-on-a-folder.md": 1,
        "docs/how-to/tune-recognition.md": 1,
        "docs/how-to/use-s3.md": 1,
        "docs/how-to/use-your-own-dask-cluster.md": 2,
        "docs/reference/benchmarks.md": 10,
    }
)
"""Number of blocks of each page that are not run. It may only shrink."""
A_REASON = re.compile(r"(needs|takes|installs|downloads|rewrites|runs forever) ?")
_PROGRAMS = "inkstream|python|export|import|prefect|make|pip|curl|sudo|aws|hf|dask"
CODE = re.compile(rf"^(\$ )?(({_PROGRAMS}) |from \S+ import )", re.MULTILINE)


def test_every_block_has_a_known_language() -> None:
    assert [str(block) for block in all_blocks() if block.language not in LANGUAGES] == []


def test_few_blocks_are_not_run_and_each_says_why() -> None:
    reasons = [(block.page, reason) for block in all_blocks() if (reason := block.reason) is not None]
    assert [reason for reason in reasons if not A_REASON.match(reason[1])] == []
    assert Counter(page for page, _ in reasons) <= NOT_RUN


def test_no_code_hides_in_a_block_of_output() -> None:
    assert [str(block) for block in blocks("text", run=False) if CODE.search(block.text)] == []


@pytest.mark.parametrize("block", [block for block in blocks("python") if "__main__" not in block.text], ids=str)
def test_a_program_runs(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})
    assert output.getvalue()


@pytest.mark.parametrize("block", [block for block in blocks("python") if "__main__" in block.text], ids=str)
def test_a_program_that_starts_workers_runs(block: Block, folder: Path) -> None:
    (folder / "program.py").write_text(block.text, encoding="utf-8")
    command = [sys.executable, "-W", "error", "program.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=240)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize("block", blocks("python", run=False), ids=str)
def test_a_program_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", blocks("sql"), ids=str)
def test_a_query_has_an_answer(block: Block, folder: Path) -> None:
    place = str(folder / "tables" / "pages")
    pages = DeltaTable(place).to_pyarrow_dataset(filesystem=SubTreeFileSystem(place, LocalFileSystem()))
    with duckdb.connect() as connection:
        assert connection.register("pages", pages).execute(block.text).fetchall()


@pytest.mark.parametrize("block", blocks("yaml", run=False), ids=str)
def test_a_configuration_is_valid(block: Block) -> None:
    assert build_config(PLACES | load_config_file(block.text, str(block)))


@pytest.mark.parametrize("block", blocks("json", "toml", "ini", run=False), ids=str)
def test_data_is_well_formed(block: Block) -> None:
    parsed: Any = configparser.ConfigParser()
    if block.language == "json":
        assert json.loads(block.text)
    elif block.language == "toml":
        assert tomllib.loads(block.text)
    else:
        parsed.read_string(block.text)
        assert parsed.sections()


def test_the_shell_parses_every_shell_block() -> None:
    scripts = {str(block): "\n".join(block.lines()) for block in blocks(*SHELL, run=False)}
    functions = "\n".join(f"block{number}() {{\n{script}\n}}" for number, script in enumerate(scripts.values()))
    done = subprocess.run(["bash", "-n"], input=functions, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), list(scripts)

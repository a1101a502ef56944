"""The commands in the documentation work, run page by page in a folder like the one that the pages describe.

S3 and its queue are moto's; the Dask cluster is started by the page's own commands. Prefect's commands are run by
`tests/integration/prefect_server/test_documented_commands.py`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import typer

from inkstream.flows.cli import app
from inkstream.tasks.config import build_config
from tests.conftest import forget_connections
from tests.docs.blocks import SHELL, Block, blocks, command
from tests.ending import end_process
from tests.faults.documents import tiny_pdf
from tests.integration.conftest import free_port
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("shared_workers")

PLACES = {"source": {"url": "inbox"}, "sink": {"url": "tables"}}
ELSEWHERE = (
    (re.compile(r"(serve|demo)\b"), "has integration tests of its own"),
    (re.compile(r"listen letters\.yaml"), "its letters.yaml would have to name a bucket"),
    (re.compile(r"run streaming\.yaml"), "test_migration runs it"),
)
"""Commands that are only parsed here, and why."""
OTHER_CODES = (
    (re.compile(r"doctor"), 4),  # this machine may lack something that it checks for
    (re.compile(r"export .*--format pdf"), 3),  # damaged.pdf cannot be exported as PDF
    (re.compile(r"forget .*letter\.\w+$"), 2),  # it asks a question, and nobody answers
)
"""Codes other than 0 that commands may end with here."""
QUIET = re.compile(r"config check .*--json")
"""Commands that print nothing here: one line per mistake, and there is no mistake."""
PASSWORDS = "INKSTREAM_PDF_PASSWORDS"
QUEUE = "inbox"
OURS = re.compile(r"(inkstream|export INKSTREAM_PDF|cp|tail) ")
"""The lines of a shell block that are run here."""
SCHEDULER = "tcp://127.0.0.1:8786"


def runnable(block: Block) -> list[str]:
    """Return the lines of a block that are run here."""
    here = [line for line in block.lines() if OURS.match(line)]
    return [line for line in here if not any(what.match(line.removeprefix("inkstream ")) for what, _ in ELSEWHERE)]


def pages() -> list[tuple[str, list[str]]]:
    """Return each page with the lines that are run, in order."""
    found = [(block.page, line) for block in blocks(*SHELL) for line in runnable(block)]
    return [(page, [line for _, line in group]) for page, group in groupby(found, key=lambda pair: pair[0])]


@pytest.mark.parametrize("block", [block for block in blocks(*SHELL, run=False) if block.commands()], ids=str)
def test_commands_parse(block: Block, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line accepts every command, including those that are not run."""
    monkeypatch.chdir(folder)
    for words in block.commands():
        given = parsed(words)
        if "overrides" in given:
            assert build_config(PLACES, preset=given.get("preset"), overrides=given["overrides"] or [])


def parsed(words: list[str]) -> dict[str, Any]:
    """Return the parameters of a command line."""
    group: Any = typer.main.get_command(app)
    context = group.make_context("inkstream", list(words), resilient_parsing=False)
    name, chosen, rest = group.resolve_command(context, words)
    while hasattr(chosen, "commands"):
        context = chosen.make_context(name, list(rest), parent=context, resilient_parsing=False)
        name, chosen, rest = chosen.resolve_command(context, rest)
    params: dict[str, Any] = chosen.make_context(name, rest, parent=context).params
    return params


@pytest.fixture
def place(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the folder; undo a page's changes in the same place, because the table knows files by their paths."""
    kept = shutil.copytree(folder, tmp_path / "kept")
    monkeypatch.chdir(folder)
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # a run starts one worker
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        shutil.copytree(kept, folder)


@pytest.fixture
def bucket(s3: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the bucket `bucket` with one document in `inbox/`, and the queue that the pages name."""
    import boto3

    if "bucket" in {each["Name"] for each in s3.list_buckets()["Buckets"]}:
        for item in s3.list_objects_v2(Bucket="bucket").get("Contents", []):
            s3.delete_object(Bucket="bucket", Key=item["Key"])
    else:
        s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="inbox/note.pdf", Body=tiny_pdf("a note"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", endpoint)
    boto3.client("sqs", region_name="eu-west-1", endpoint_url=endpoint).create_queue(QueueName=QUEUE)
    forget_connections()


@pytest.mark.parametrize(("page", "lines"), pages(), ids=lambda value: value if isinstance(value, str) else "")
def test_the_commands_of_a_page_run(
    page: str,
    lines: list[str],
    place: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if any("s3://" in line for line in lines):
        request.getfixturevalue("bucket")
    with ExitStack() as stack:
        scheduler = stack.enter_context(dask_cluster()) if any(SCHEDULER in line for line in lines) else SCHEDULER
        for line in lines:
            words = command(line.replace(SCHEDULER, scheduler))
            if words is not None:
                output = _inkstream(bounded(words), monkeypatch, capfd)
                if target := re.search(r" > (\S+)$", line):
                    (place / target[1]).write_text(output)
            elif line.startswith("export "):
                monkeypatch.setenv(PASSWORDS, _bash(f'{line}; printf %s "${PASSWORDS}"'))
            else:
                _bash(line)


def bounded(words: list[str]) -> list[str]:
    """Return the command, changed to end by itself if it would run until it is interrupted."""
    if words[0] == "listen":
        return [*words, "--once", "--set", "events.wait=1s"]
    if "--every" in words:
        at = words.index("--every")
        return [*words[:at], *words[at + 2 :]]
    return words


def _inkstream(words: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(SystemExit) as ended:
        app(words, prog_name="inkstream")
    output, errors = capfd.readouterr()
    allowed = [0, *(code for what, code in OTHER_CODES if what.match(" ".join(words)))]
    assert ended.value.code in allowed, (words, output, errors)
    assert "Traceback" not in errors, (words, errors)
    if "--output" not in words:
        assert bool(output) != bool(QUIET.match(" ".join(words))), words
    elif "s3://" not in (target := words[words.index("--output") + 1]):
        assert Path(target).exists(), words
    return output


def _bash(script: str) -> str:
    done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (script, done.stderr)
    return done.stdout


@contextlib.contextmanager
def dask_cluster() -> Iterator[str]:
    """Start the page's scheduler and first worker, with one process and on a free port; yield the address."""
    page = "docs/how-to/use-your-own-dask-cluster.md"
    shown = [block for block in blocks(*SHELL) if block.page == page]
    lines = [line for block in shown for line in block.lines() if line.startswith("dask ")]
    address = f"tcp://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        for line in lines[:2]:
            here = line.replace(SCHEDULER, address).replace("--port 8786", f"--port {address.rpartition(':')[2]}")
            _, kind, *words = here.replace(":8787", ":0").replace("--nworkers 4", "--nworkers 1").split()
            started = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            stack.callback(end_process, started)
        yield address


def lines_that_start(with_what: str) -> list[str]:
    """Return the lines of all shell blocks that start with these words."""
    lines = (line for block in blocks(*SHELL, run=False) for line in block.lines())
    return sorted({line for line in lines if line.startswith(with_what)})


@pytest.mark.parametrize("line", lines_that_start("make "))
def test_make_has_the_target(line: str) -> None:
    done = subprocess.run([*line.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", lines_that_start("python -m benchmarks."))
def test_a_benchmark_has_the_options(
    line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, module, *words = line.split()
    monkeypatch.setattr("sys.argv", [module, "--help"])
    with pytest.raises(SystemExit) as ended:
        import_module(module).main()
    assert ended.value.code == 0
    usage = capsys.readouterr().out
    assert [word for word in words if word.startswith("--") and word not in usage] == []

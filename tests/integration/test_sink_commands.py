"""What each command prints for a sink that is not a Delta table."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from inkstream.flows.cli import app
from inkstream.tasks.sinks.left_behind import write_stream
from tests.integration.tasks.sinks.test_sink import make_config
from tests.integration.test_commit_processes import commit, make_inbox, plan

UNDER_PREFECT = ("retry", "reprocess", "maintain")
COMMANDS = [
    ["status"],
    ["show"],
    ["show", "--version", "0"],
    ["diff", "--from", "0"],
    ["export", "--format", "text", "--output", "exported"],
    ["export", "--format", "text", "--output", "exported", "--version", "0"],
    ["retry"],
    ["retry", "--stream", "main", "--dry-run"],
    ["reprocess"],
    ["forget", "0.pdf", "--yes"],
    ["forget", "0.pdf", "--dry-run"],
    ["maintain"],
    ["maintain", "--dry-run"],
]


@pytest.fixture
def _sigterm() -> Iterator[None]:
    """Restore SIGTERM after the test: a command that runs in this process handles it."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_sigterm")
@pytest.mark.parametrize("kind", ["parquet", "memory"])
def test_every_command_works_or_says_what_it_needs(
    kind: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Parquet sink has two files; another process's memory sink left nothing."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))  # exports go there
    sink = "memory://here"
    if kind == "parquet":
        sink = str(tmp_path / "tables")
        make_inbox(tmp_path, 2)
        config = make_config(tmp_path, format="parquet")
        write_stream(config)
        commit(config, plan(config)[0])
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    results = {}
    for name, *options in COMMANDS:
        done = CliRunner().invoke(app, [name, sink, *options, *(["--prefect", "off"] if name in UNDER_PREFECT else [])])
        results[name, *options] = (done.exit_code, done.output)
    works = {("status",), ("show",), ("export", "--format", "text", "--output", "exported")}
    works = works if kind == "parquet" else set()
    assert {command for command, (code, _) in results.items() if code == 0} == works
    for command, (code, output) in results.items():
        if command not in works:
            assert code == 2, output
            assert "needs sink.format delta" in output
            assert "Give another folder or bucket as --sink" in output
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before

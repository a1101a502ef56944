"""Runs `inkstream serve` in a separate process, and makes its documents."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.faults.documents import tiny_pdf
from tests.faults.oracle import Corpus
from tests.integration.prefect_api import wait_until

CHEAP = ("pipeline.text_layer.mode=only", "execution.workers=1", "trigger.max_files_per_trigger=2")
SECRET = "unmistakable"
"""A word in every document, which must not be in any log or artifact."""


def fill(inbox: Path, files: int) -> Corpus:
    """Make a folder of documents with one page each."""
    inbox.mkdir()
    corpus = Corpus(inbox)
    for number in range(files):
        corpus.put(f"note{number}.pdf", tiny_pdf(f"{SECRET} {number}"), 1)
    return corpus


def serve_command(folder: Path, stream: str, *more: str) -> list[str]:
    """Return the command that serves `folder/inbox` into `folder/tables`."""
    settings = [part for option in CHEAP for part in ("--set", option)]
    places = ["--source", str(folder / "inbox"), "--sink", str(folder / "tables"), "--stream", stream]
    return [sys.executable, "-m", "inkstream", "serve", *places, *settings, *more]


@contextmanager
def running(
    command: list[str], environment: Mapping[str, str], log: Path, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process in a group of its own; interrupt it at the end if it still runs."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    raise


@contextmanager
def serving(
    command: list[str], environment: Mapping[str, str], log: Path, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `inkstream serve`, and yield its process once it serves."""
    with running(command, environment, log, cwd) as process:

        def is_served() -> bool:
            assert process.poll() is None, log.read_text()
            return "Ctrl-C stops" in log.read_text()

        wait_until(is_served, 150, log.read_text)
        yield process


def assert_quiet(output: str) -> None:
    """Check that no traceback has a line of Inkstream, and that no text of a document was printed.

    Prefect's server prints a traceback of its own now and then ("database is locked").
    """
    assert not re.search(r'File "[^"]*/(flows|tasks|ocr_core)/', output), output
    assert SECRET not in output

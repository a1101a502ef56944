"""`inkstream serve` as a process of its own, and the documents it is given."""

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
"""A word of every document, which no log and no artifact may have."""


def fill(inbox: Path, files: int) -> Corpus:
    """Makes a folder of documents with a page each."""
    inbox.mkdir()
    corpus = Corpus(inbox)
    for number in range(files):
        corpus.put(f"note{number}.pdf", tiny_pdf(f"{SECRET} {number}"), 1)
    return corpus


def serve_command(folder: Path, stream: str, *more: str) -> list[str]:
    """Serves `folder/inbox` into `folder/tables`."""
    settings = [part for option in CHEAP for part in ("--set", option)]
    places = ["--source", str(folder / "inbox"), "--sink", str(folder / "tables"), "--stream", stream]
    return [sys.executable, "-m", "inkstream", "serve", *places, *settings, *more]


@contextmanager
def running(
    command: list[str], environment: Mapping[str, str], log: Path, cwd: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a group of its own, interrupted at the end if it still runs."""
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
    """`running`, from when it serves."""
    with running(command, environment, log, cwd) as process:

        def is_served() -> bool:
            assert process.poll() is None, log.read_text()
            return "Ctrl-C stops" in log.read_text()

        wait_until(is_served, 150, log.read_text)
        yield process


def assert_quiet(said: str) -> None:
    """Check that no traceback has a line of Inkstream, and that no text of a document was printed.

    Prefect's server prints a traceback of its own now and then ("database is locked").
    """
    assert not re.search(r'File "[^"]*/(flows|tasks|ocr_core)/', said), said
    assert SECRET not in said

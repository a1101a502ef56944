"""`StreamingQuery`, the handle on a stream in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from inkstream import Stream, StreamingQuery, build_config
from inkstream.ocr_core.errors import ConfigError, EnvironmentFault, TransientError
from inkstream.tasks.progress import Event, RangeDone
from inkstream.tasks.source import discovery
from inkstream.tasks.source import listing as sources
from tests.faults.documents import tiny_pdf
from tests.places import ROOT

pytestmark = pytest.mark.usefixtures("shared_workers")


def put(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        partial = folder / f".{name}"
        partial.write_bytes(tiny_pdf(f"the document {name}"))
        partial.rename(folder / name)


def make_stream(tmp_path: Path, **options: Any) -> Stream:
    put(tmp_path / "inbox", "a.pdf", "b.pdf")
    config = {
        "source": {"url": str(tmp_path / "inbox")},
        "sink": {"url": f"memory://{uuid.uuid4()}"},
        "trigger": {"max_files_per_trigger": 1},
        "pipeline": {"text_layer": {"mode": "only"}},
        "execution": {"workers": 1},
    }
    return Stream(build_config(config), **options)


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[Stream]:
    with make_stream(tmp_path) as stream:
        yield stream


def texts(stream: Stream) -> set[str]:
    found = stream.table(["text"]).column(0).to_pylist()
    assert len(set(found)) == len(found)
    return {text.removeprefix("the document ") for text in found}


def until(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.01)


def test_a_query_reads_new_files_until_it_is_stopped(stream: Stream, tmp_path: Path) -> None:
    query = stream.start(every="1h")
    assert isinstance(query, StreamingQuery)
    assert query.process_all_available(timeout=60)
    assert texts(stream) == {"a.pdf", "b.pdf"}
    put(tmp_path / "inbox", "c.pdf")
    assert query.process_all_available(timeout=60)
    assert texts(stream) == {"a.pdf", "b.pdf", "c.pdf"}
    reports = query.recent_progress
    assert [report["batchId"] for report in reports] == [0, 1, 2]
    assert {(report["id"], report["runId"], report["name"]) for report in reports} == {
        (query.id, query.run_id, query.name)
    }
    assert query.last_progress == reports[-1]
    assert query.is_active
    assert not query.await_termination(timeout=0.01)
    with pytest.raises(ConfigError, match="is already running"):
        stream.start()
    query.stop()
    assert query.await_termination()
    assert query.exception() is None
    assert not query.process_all_available()
    again = stream.start(available_now=True)
    assert (again.id, again.name) == (query.id, query.name)
    assert again.run_id != query.run_id
    assert again.await_termination(timeout=60)
    assert (again.recent_progress, again.last_progress) == ([], None)


def test_a_query_lists_the_source_again_at_each_interval(stream: Stream, tmp_path: Path) -> None:
    query = stream.start(every="50ms")
    query.process_all_available(timeout=60)
    put(tmp_path / "inbox", "late.pdf")
    until(lambda: len(query.recent_progress) == 3)
    assert "late.pdf" in texts(stream)


def test_available_now_reads_the_files_that_exist_and_ends(stream: Stream, tmp_path: Path) -> None:
    query = stream.start(available_now=True)
    assert query.await_termination(timeout=60)
    put(tmp_path / "inbox", "late.pdf")
    assert texts(stream) == {"a.pdf", "b.pdf"}


def test_an_error_ends_the_query_and_is_raised(stream: Stream, tmp_path: Path) -> None:
    (tmp_path / "inbox").rename(tmp_path / "gone")
    query = stream.start()
    with pytest.raises((ConfigError, EnvironmentFault), match="inbox"):
        query.await_termination(timeout=60)
    assert not query.is_active
    assert isinstance(query.exception(), ConfigError | EnvironmentFault)
    with pytest.raises((ConfigError, EnvironmentFault), match="inbox"):
        query.process_all_available()


def test_a_transient_fault_is_retried(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = sources.list_files

    def list_files(*args: Any) -> Any:
        calls.append(1)
        if len(calls) < 3:
            raise TransientError("the store is away")
        return real(*args)

    monkeypatch.setattr(discovery, "list_files", list_files)
    query = stream.start(every="20ms")
    assert query.process_all_available(timeout=60)
    assert len(calls) >= 3
    assert query.trouble is None
    query.stop()
    calls.clear()
    with pytest.raises(TransientError, match="away"):
        stream.start(available_now=True).await_termination(timeout=60)


def test_stopping_a_query_leaves_only_whole_batches(tmp_path: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def hold(event: Event) -> None:
        if isinstance(event, RangeDone) and "b.pdf" in event.path:
            reached.set()
            go_on.wait(120)

    with make_stream(tmp_path, observers=[hold]) as stream:
        query = stream.start()
        assert reached.wait(120)
        stopper = threading.Thread(target=query.stop)
        stopper.start()
        until(lambda: query._stopping)
        go_on.set()
        stopper.join(120)
        assert not query.is_active
        assert texts(stream) == {"a.pdf"}
        stream.start(available_now=True).await_termination(timeout=60)
        assert texts(stream) == {"a.pdf", "b.pdf"}


PROGRAM = """
import os, signal, threading
from inkstream import Stream, build_config

if __name__ == "__main__":
    config = build_config({
        "source": {"url": "inbox"},
        "sink": {"url": "memory://here"},
        "pipeline": {"text_layer": {"mode": "only"}},
        "execution": {"workers": 1},
    })
"""


def run_program(
    folder: Path, body: str, *flags: str, environment: dict[str, str] | None = None
) -> tuple[int, str, str]:
    """Run a program that begins with a `config`; return its exit status, output and errors."""
    put(folder / "inbox", "a.pdf")
    (folder / "program.py").write_text(PROGRAM + textwrap.indent(textwrap.dedent(body), "    "))
    done = subprocess.run(
        [sys.executable, *flags, "program.py"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**(environment or os.environ), "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    return done.returncode, done.stdout, done.stderr


def test_ctrl_c_in_the_foreground_stops_the_query(tmp_path: Path) -> None:
    body = """
        try:
            with Stream(config) as stream:
                query = stream.start(every="50ms")
                query.process_all_available()
                threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
                query.await_termination()
        except KeyboardInterrupt:
            print("stopped" if not query.is_active else "active")
    """
    assert run_program(tmp_path, body, "-W", "error") == (0, "stopped\n", "")

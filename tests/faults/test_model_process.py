"""The process that holds the model: what kills it, what it survives, and that it outlives page processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from inkstream import FailureKind, LimitOptions, PageWorker, PipelineOptions, read_document
from inkstream.ocr_core.engines.line_reader import Reading
from inkstream.ocr_core.errors import DocumentError
from inkstream.ocr_core.sandbox.supervisor import Sandbox
from inkstream.ocr_core.workers import line_worker
from inkstream.ocr_core.workers.line_worker import LineWorker
from inkstream.ocr_core.workers.page_worker import BegunPage, ReadPage, read_lines
from tests.faults.lost_device import MARK
from tests.generators import page_image, text_image

LIMITS = LimitOptions(page_seconds=60, page_cpu_seconds=60)
LINES = ["Carriage paid in advance", "Fourteen barrels of tar", "No returns after May"]
OPTIONS = PipelineOptions.model_validate(
    {"text_layer": {"mode": "ignore"}, "recognize": {"engine": "ppocr"}, "draw": {"label": "text"}}
)
"""`ppocr` stands for any engine here: the process that holds a model does not know which it is."""
HANDLERS = "tests.faults.handlers:handle"


@pytest.fixture
def lines() -> Iterator[LineWorker]:
    worker = LineWorker(OPTIONS.recognize, LIMITS)
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def crops() -> list[np.ndarray]:
    return [np.asarray(text_image(line, (900, 200)))[40:145] for line in LINES]


def texts(answers: Sequence[list[Reading] | DocumentError]) -> list[list[str] | FailureKind]:
    return [a.kind if isinstance(a, DocumentError) else [reading.text for reading in a] for a in answers]


def when_busy(worker: LineWorker, strike: Callable[[int], None], times: int = 1) -> threading.Thread:
    """Strike each new process of the model once it has its first call."""

    def watch() -> None:
        struck: set[int] = set()
        while len(struck) < times:
            child = worker._sandbox._children.get("now")
            if child is not None and child.calls and child.pid not in struck:
                strike(child.pid)
                struck.add(child.pid)
            time.sleep(0.001)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def test_a_page_read_in_three_processes_equals_one_read_in_one(tmp_path: Path, lines: LineWorker) -> None:
    """One page process begins the page, the model's process reads its lines, and another page process finishes it."""
    page_image(LINES).save(tmp_path / "page.png")
    (whole,) = read_document(tmp_path / "page.png", OPTIONS, LIMITS, sandboxed=False)
    with PageWorker(OPTIONS, LIMITS) as first, PageWorker(OPTIONS, LIMITS) as second:
        begun = first.begin(tmp_path / "page.png", 0, 1)
        assert isinstance(begun, BegunPage)
        (read,) = read_lines(lines, [begun])
        page = second.finish(tmp_path / "page.png", read)
    assert whole.text
    assert page.text == whole.text
    assert page.regions == whole.regions
    assert page.overlay == whole.overlay
    assert (page.width, page.notes, page.engine) == (whole.width, whole.notes, whole.engine)


def test_readings_that_do_not_fit_the_page_are_an_internal_failure(tmp_path: Path) -> None:
    page_image(LINES).save(tmp_path / "page.png")
    with PageWorker(OPTIONS, LIMITS) as worker:
        begun = worker.begin(tmp_path / "page.png", 0, 1)
        assert isinstance(begun, BegunPage)
        page = worker.finish(tmp_path / "page.png", ReadPage(0, 1, begun.state, [], 0.0))
    assert page.failure is not None
    assert page.failure.kind is FailureKind.INTERNAL


def test_a_model_process_killed_while_idle_is_restarted(lines: LineWorker, crops: list[np.ndarray]) -> None:
    assert texts(lines.read([crops])) == [LINES]
    before = lines.pid
    assert before is not None
    kill(before)
    assert texts(lines.read([crops[:1], crops[1:]])) == [LINES[:1], LINES[1:]]
    assert lines.pid != before


def test_lines_are_read_again_if_the_model_process_is_killed(lines: LineWorker, crops: list[np.ndarray]) -> None:
    lines.start()
    before = lines.pid
    striker = when_busy(lines, kill)
    assert texts(lines.read([crops * 10, crops * 10])) == [LINES * 10] * 2
    striker.join()
    assert lines.pid != before


def test_a_second_kill_is_a_crash_and_the_next_page_is_read(lines: LineWorker, crops: list[np.ndarray]) -> None:
    lines.start()
    striker = when_busy(lines, kill, times=2)
    (answer,) = lines.read([crops * 20])
    striker.join()
    assert isinstance(answer, DocumentError)
    assert answer.kind is FailureKind.CRASH
    assert "the model's process was ended by signal SIGKILL" in answer.message
    assert texts(lines.read([crops])) == [LINES]


def test_a_new_process_reads_the_lines_after_a_device_is_lost(
    crops: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that lost its GPU never gets it back; a new process may."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(line_worker, "HANDLER", "tests.faults.lost_device:handle")
    worker = LineWorker(OPTIONS.recognize, LIMITS)
    try:
        worker.start()
        before = worker.pid
        assert texts(worker.read([crops])) == [LINES]
        assert worker.pid != before
        assert (tmp_path / MARK).exists()
    finally:
        worker.close()


def test_a_timeout_of_one_page_does_not_cost_its_neighbour(lines: LineWorker, crops: list[np.ndarray]) -> None:
    """Pages that are read together share their time; after that, each has its own."""
    lines.start()
    striker = when_busy(lines, lambda pid: os.kill(pid, signal.SIGSTOP))
    answers = lines.read([crops * 10, crops], [0.5, 5.0])
    striker.join()
    assert texts(answers)[1] == LINES
    (late,) = lines.read([crops * 200], [0.3])
    assert isinstance(late, DocumentError)
    assert late.kind is FailureKind.TIMEOUT
    assert "the model took more than 0.3 s" in late.message


def test_only_the_page_that_needs_too_much_memory_fails(crops: list[np.ndarray]) -> None:
    huge = np.zeros((9_000, 20_000), np.uint8)
    worker = LineWorker(OPTIONS.recognize, LIMITS.model_copy(update={"memory_mb": 300}))
    try:
        assert texts(worker.read([[huge], crops])) == [FailureKind.MEMORY, LINES]
    finally:
        worker.close()


def test_a_lasting_process_is_not_recycled_for_its_calls_or_kept_memory() -> None:
    limits = LimitOptions(memory_mb=128, recycle_after=2)
    with Sandbox(HANDLERS, limits, lasting=True) as sandbox:
        pids = {sandbox.call({"do": "keep", "megabytes": 15})[0]["pid"] for _ in range(5)}
        assert len(pids) == 1
        again, _ = sandbox.call({"do": "keep", "megabytes": 60})
        assert again["pid"] not in pids, "it kept too much for this call, which is repeated"


def test_one_model_process_outlives_several_page_processes(tmp_path: Path, lines: LineWorker) -> None:
    page_image(LINES).save(tmp_path / "page.png")
    limits = LIMITS.model_copy(update={"recycle_after": 2})
    pages, models = [], []
    with PageWorker(OPTIONS, limits) as worker:
        for number in range(5):
            begun = worker.begin(tmp_path / "page.png", 0, 1)
            pages.append(worker.pid)
            assert isinstance(begun, BegunPage)
            (read,) = read_lines(lines, [begun])
            models.append(lines.pid)
            if number == 2 and worker.pid is not None:
                kill(worker.pid)
            assert worker.finish(tmp_path / "page.png", read).text == "\n".join(LINES)
    assert len(set(pages) - {None}) >= 2
    assert len(set(models)) == 1

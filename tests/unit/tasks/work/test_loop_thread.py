"""A loop in another thread, and interrupts of the thread that waits for it."""

from __future__ import annotations

import asyncio
import logging
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from inkstream.tasks.work.loop_thread import on_loop, open_in_loop_thread
from tests.interrupting import (
    default_interrupts,
    interrupt_at_each_step,
    interrupt_before_it_begins,
    interrupt_main_thread,
)


@asynccontextmanager
async def running_loop() -> AsyncIterator[asyncio.AbstractEventLoop]:
    yield asyncio.get_running_loop()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with default_interrupts(), open_in_loop_thread(running_loop) as opened:
        yield opened


async def others() -> set[asyncio.Task[object]]:
    """Return the loop's tasks, except this one and the one that keeps the loop open."""
    await asyncio.sleep(0)  # lets a cancelled task end
    return {task for task in asyncio.all_tasks() - {asyncio.current_task()} if "live" not in repr(task.get_coro())}


def test_results_are_returned_and_errors_raised(loop: asyncio.AbstractEventLoop) -> None:
    async def name() -> str:
        return threading.current_thread().name

    async def fail() -> None:
        raise ValueError("as it is")

    def fail_at_once() -> asyncio.Future[None]:
        raise LookupError("no coroutine")

    assert on_loop(loop, name) != threading.current_thread().name
    with pytest.raises(ValueError, match="as it is"):
        on_loop(loop, fail)
    with pytest.raises(LookupError, match="no coroutine"):
        on_loop(loop, fail_at_once)


def test_an_interrupt_while_waiting_cancels_the_coroutine(loop: asyncio.AbstractEventLoop) -> None:
    cancelled = threading.Event()

    async def wait() -> None:
        try:
            interrupt_main_thread()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with pytest.raises(KeyboardInterrupt):
        on_loop(loop, wait)
    assert cancelled.wait(30)


def test_a_coroutine_interrupted_before_it_starts_never_runs(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[bool] = []

    async def begin() -> None:
        begun.append(True)

    with pytest.raises(KeyboardInterrupt):
        interrupt_before_it_begins(loop, lambda: on_loop(loop, begin))
    assert on_loop(loop, others) == set()
    assert (begun, caplog.records) == ([], [])


def test_an_interrupt_at_any_bytecode_leaves_nothing_behind(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    steps = 0
    for step in interrupt_at_each_step(lambda: on_loop(loop, work)):
        assert on_loop(loop, others) == set(), f"interrupted at bytecode {step}"
        steps += 1
    assert steps > 100
    assert caplog.records == []


def test_an_error_after_an_interrupt_is_not_logged(
    loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        try:
            interrupt_main_thread()
            await asyncio.Event().wait()
        finally:
            raise OSError("the connection is gone")

    with pytest.raises(KeyboardInterrupt):
        on_loop(loop, fail)
    assert on_loop(loop, others) == set()
    assert caplog.records == []


def test_using_a_closed_loop_is_an_error() -> None:
    with open_in_loop_thread(running_loop) as opened:
        pass

    async def work() -> None:
        pass

    with pytest.raises(RuntimeError, match="closed"):
        on_loop(opened, work)


def test_opening_and_closing_happen_in_a_thread_that_blocks_sigint() -> None:
    seen: list[tuple[int | None, bool]] = []

    def look() -> None:
        masked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        seen.append((threading.current_thread().ident, masked))

    @asynccontextmanager
    async def opening() -> AsyncIterator[str]:
        look()
        try:
            yield "it"
        finally:
            look()

    with open_in_loop_thread(opening) as opened:
        assert opened == "it"
        assert len(seen) == 1
    assert len(set(seen)) == 1
    assert seen[1][1]
    assert seen[1][0] != threading.current_thread().ident
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_program_that_never_closes_the_loop_still_ends() -> None:
    program = """
        from inkstream.tasks.work.loop_thread import open_in_loop_thread
        from tests.unit.tasks.work.test_loop_thread import running_loop

        kept = open_in_loop_thread(running_loop)
        print(kept.__enter__().is_running())
    """
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (process.returncode, process.stdout, process.stderr) == (0, "True\n", "")


def test_garbage_collection_in_the_loop_thread_closes_the_loop() -> None:
    closed = threading.Event()

    @asynccontextmanager
    async def opening() -> AsyncIterator[asyncio.AbstractEventLoop]:
        try:
            yield asyncio.get_running_loop()
        finally:
            closed.set()

    contexts = [open_in_loop_thread(opening)]
    loop = contexts[0].__enter__()

    async def drop() -> None:
        contexts.clear()

    on_loop(loop, drop)
    assert closed.wait(30)


@asynccontextmanager
async def faulty(opening: Exception | None = None, closing: Exception | None = None) -> AsyncIterator[None]:
    if opening:
        raise opening
    try:
        yield
    finally:
        if closing:
            raise closing


def test_errors_of_opening_and_closing_are_raised() -> None:
    with pytest.raises(OSError, match="no door"), open_in_loop_thread(lambda: faulty(OSError("no door"))):
        pytest.fail("it was not opened")
    with pytest.raises(OSError, match="it jams"), open_in_loop_thread(lambda: faulty(closing=OSError("it jams"))):
        pass


def test_an_error_of_closing_does_not_hide_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), open_in_loop_thread(lambda: faulty(closing=OSError("it jams"))):
        raise KeyboardInterrupt


def test_an_interrupt_cancels_the_opening_and_waits_for_its_end(caplog: pytest.LogCaptureFixture) -> None:
    ended = []

    @asynccontextmanager
    async def opening() -> AsyncIterator[None]:
        try:
            interrupt_main_thread()
            await asyncio.Event().wait()
            yield
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    caplog.set_level(logging.INFO)
    with default_interrupts(), pytest.raises(KeyboardInterrupt), open_in_loop_thread(opening):
        pytest.fail("it was not opened")
    assert ended == [True]
    assert caplog.records == []

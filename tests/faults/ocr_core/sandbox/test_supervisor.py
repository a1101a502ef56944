"""The sandbox under real faults: real signals and limits, no mocks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, FailureKind
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.sandbox.supervisor import Sandbox
from tests.interrupting import default_interrupts, interrupt_while
from tests.places import ROOT

HANDLER = "tests.faults.handlers:handle"
LIMITS = LimitOptions(page_seconds=20, page_cpu_seconds=20, memory_mb=128)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(HANDLER, LIMITS) as sandbox:
        yield sandbox


def failure_of(sandbox: Sandbox, **request: object) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        sandbox.call(request)
    assert sandbox.call({"do": "echo"})[0]["echo"] == {"do": "echo"}, "the next call must work"
    return caught.value


def gone(pid: int, seconds: float = 60) -> bool:
    try:
        psutil.Process(pid).wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def test_a_call_is_answered_with_json_and_bytes(sandbox: Sandbox) -> None:
    reply, blob = sandbox.call({"do": "echo", "blob": 3_000_000, "name": "a\udcff\n'#%"})
    assert reply["echo"]["name"] == "a\udcff\n'#%"
    assert len(blob) == 3_000_000


@pytest.mark.parametrize(
    ("do", "kind", "says"),
    [
        ("segfault", FailureKind.CRASH, "SIGSEGV"),
        ("abort", FailureKind.CRASH, "SIGABRT"),
        ("exit", FailureKind.CRASH, "status 3"),
        ("system_exit", FailureKind.CRASH, "status 4"),
        ("huge_reply", FailureKind.CRASH, "malformed"),
        ("eat_python_memory", FailureKind.MEMORY, "memory_mb"),
        ("eat_native_memory", FailureKind.MEMORY, "128 MiB"),
        ("lift_limits_and_eat", FailureKind.MEMORY, "memory_mb"),
        ("say_bad_alloc", FailureKind.MEMORY, "SIGABRT"),
    ],
)
def test_each_way_to_die_has_its_failure_kind(sandbox: Sandbox, do: str, kind: FailureKind, says: str) -> None:
    error = failure_of(sandbox, do=do)
    assert (error.kind, says in error.message) == (kind, True), error.message


@pytest.mark.parametrize("do", ["hang_without_gil", "hang_with_gil"])
def test_a_hang_ends_at_the_wall_clock_limit(do: str) -> None:
    with Sandbox(HANDLER, LIMITS.model_copy(update={"page_seconds": 0.5})) as sandbox:
        sandbox.start()
        began = time.monotonic()
        error = failure_of(sandbox, do=do)
        assert error.kind is FailureKind.TIMEOUT
        assert "0.5 s (page_seconds)" in error.message
        assert time.monotonic() - began < 60, "the handler would hang for ten minutes"


def test_a_busy_loop_ends_at_the_cpu_limit() -> None:
    with Sandbox(HANDLER, LIMITS.model_copy(update={"page_cpu_seconds": 1.0})) as sandbox:
        error = failure_of(sandbox, do="burn")
        assert error.kind is FailureKind.TIMEOUT
        assert "page_cpu_seconds" in error.message


@pytest.mark.parametrize("frame", ["", "00000005000000007b7d7b7d7b", "00000002000000005b5d", "0000000400000000"])
def test_malformed_frames_are_a_crash_or_a_timeout(frame: str) -> None:
    """The parent waits for missing bytes until the time is over; JSON that is not an object is refused at once."""
    with Sandbox(HANDLER, LIMITS.model_copy(update={"page_seconds": 0.5})) as sandbox:
        sandbox.start()
        error = failure_of(sandbox, do="malformed", bytes=frame)
        assert error.kind in {FailureKind.CRASH, FailureKind.TIMEOUT}


def test_errors_keep_their_type(sandbox: Sandbox) -> None:
    pid = sandbox.call({"do": "echo"})[0]["pid"]
    with pytest.raises(DocumentError, match="torn") as caught:
        sandbox.call({"do": "raise", "what": "document"})
    assert caught.value.kind is FailureKind.CORRUPT
    with pytest.raises(ConfigError, match="no such variable"):
        sandbox.call({"do": "raise", "what": "config"})
    with pytest.raises(EnvironmentFault) as fault:
        sandbox.call({"do": "raise", "what": "environment"})
    assert fault.value.remedy == "install it"
    with pytest.raises(DocumentError, match="ValueError: nobody foresaw this") as caught:
        sandbox.call({"do": "raise", "what": "value"})
    assert caught.value.kind is FailureKind.INTERNAL
    assert sandbox.call({"do": "echo"})[0]["pid"] == pid, "an exception does not end the child"


def test_a_memory_error_ends_the_child(sandbox: Sandbox) -> None:
    pid = sandbox.call({"do": "echo"})[0]["pid"]
    error = failure_of(sandbox, do="raise", what="memory")
    assert error.kind is FailureKind.MEMORY
    assert gone(pid)


def test_a_reply_may_ask_for_another_child(sandbox: Sandbox) -> None:
    reply, _ = sandbox.call({"do": "retire"})
    assert set(reply) == {"pid"}, "the request to retire is not part of the answer"
    assert gone(reply["pid"])
    assert sandbox.call({"do": "echo"})[0]["pid"] != reply["pid"]


def test_printing_in_the_child_disturbs_neither_the_reply_nor_the_output(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sandbox.call({"do": "print"})[0] == {"printed": True}
    assert capfd.readouterr() == ("", "")


def test_the_child_has_no_credentials_in_its_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "s3cr3t-of-the-parent"
    for name in ("AWS_SECRET_ACCESS_KEY", "PREFECT_API_KEY", "DATABASE_URL", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, secret)
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    with Sandbox(HANDLER, LIMITS) as sandbox:
        reply, _ = sandbox.call({"do": "environment"})
        assert sandbox.pid is not None
        assert secret not in Path(f"/proc/{sandbox.pid}/environ").read_text()
        assert secret not in reply["raw"]
        assert secret not in str(reply["environ"])
        assert reply["environ"]["PATH"] == os.environ["PATH"]
        assert reply["environ"]["OMP_THREAD_LIMIT"] == "1"
        assert reply["environ"]["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID", "the choice of the GPU is passed on"


def test_the_child_inherits_no_files(tmp_path: Path) -> None:
    with open(tmp_path / "held-by-the-parent", "w") as file, Sandbox(HANDLER, LIMITS) as sandbox:
        os.set_inheritable(file.fileno(), True)
        links = sandbox.call({"do": "descriptors"})[0]["open"].values()
        assert not [link for link in links if "held-by-the-parent" in link]


def test_no_descriptors_leak_in_the_parent() -> None:
    process = psutil.Process()
    with Sandbox(HANDLER, LIMITS):
        pass
    before = process.num_fds()
    for do in ("echo", "exit", "abort"):
        with Sandbox(HANDLER, LIMITS) as sandbox:
            try:
                sandbox.call({"do": do})
            except DocumentError:
                sandbox.call({"do": "echo"})
    assert process.num_fds() == before


def test_the_child_is_recycled_after_its_share_of_calls() -> None:
    with Sandbox(HANDLER, LIMITS.model_copy(update={"recycle_after": 3})) as sandbox:
        pids = [sandbox.call({"do": "echo"})[0]["pid"] for _ in range(7)]
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]
    assert all(gone(pid) for pid in pids)


def test_the_child_is_recycled_when_it_keeps_too_much_memory(sandbox: Sandbox) -> None:
    first = sandbox.call({"do": "keep", "megabytes": 60})[0]["pid"]
    assert sandbox.call({"do": "echo"})[0]["pid"] != first


def test_the_first_request_counts_neither_as_a_call_nor_as_its_memory() -> None:
    loaded = {"do": "keep", "megabytes": 2 * LIMITS.memory_mb}
    with Sandbox(HANDLER, LIMITS.model_copy(update={"recycle_after": 3}), first=loaded) as sandbox:
        pids = [sandbox.call({"do": "echo"})[0]["pid"] for _ in range(7)]
        assert len(set(pids)) == 3, "replaced after three calls, and not for its size"
        resident = psutil.Process(sandbox.pid).memory_info().rss
        assert resident > 2 * LIMITS.memory_mb * 2**20, "each child loads it"
        failure = failure_of(sandbox, do="eat_python_memory")
    assert failure.kind is FailureKind.MEMORY


def test_an_error_of_the_first_request_is_raised() -> None:
    with (
        Sandbox(HANDLER, LIMITS, first={"do": "raise", "what": "environment"}) as sandbox,
        pytest.raises(EnvironmentFault),
    ):
        sandbox.call({"do": "echo"})


def test_close_ends_the_child_and_its_own_child(sandbox: Sandbox) -> None:
    grandchild = sandbox.call({"do": "grandchild"})[0]["pid"]
    child = sandbox.pid
    assert child is not None
    sandbox.close()
    assert gone(child)
    assert gone(grandchild)


def test_a_call_is_repeated_once_after_a_kill_from_outside(sandbox: Sandbox, tmp_path: Path) -> None:
    marker = str(tmp_path / "killed")
    assert sandbox.call({"do": "killed_from_outside", "marker": marker})[0] == {"survived": True}
    error = failure_of(sandbox, do="killed_from_outside", marker=marker, always=True)
    assert error.kind is FailureKind.CRASH
    assert "SIGKILL" in error.message


def test_a_child_killed_while_idle_is_replaced(sandbox: Sandbox) -> None:
    sandbox.start()
    assert sandbox.pid is not None
    os.kill(sandbox.pid, signal.SIGKILL)
    assert sandbox.call({"do": "echo"})


def test_the_child_outlives_the_thread_that_started_it(sandbox: Sandbox) -> None:
    starter = threading.Thread(target=sandbox.start)
    starter.start()
    starter.join()
    pid = sandbox.pid
    assert sandbox.call({"do": "echo"})[0]["pid"] == pid


@pytest.mark.parametrize("do", ["echo", "hang_with_gil"])
def test_the_child_dies_with_its_parent(do: str) -> None:
    code = (
        "import sys, threading\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from inkstream.ocr_core.sandbox.supervisor import Sandbox\n"
        f"sandbox = Sandbox({HANDLER!r})\n"
        "sandbox.start()\n"
        "print(sandbox.pid, flush=True)\n"
        f"sandbox.call({{'do': {do!r}}})\n"
        "print('idle', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if do == "echo":
            assert parent.stdout.readline() == "idle\n"
        parent.kill()
    assert gone(child)


@pytest.mark.parametrize(
    "handler",
    ["tests.faults.broken_handler:handle", "tests.faults.handlers:missing", "no_such_module:handle"],
)
def test_a_child_that_cannot_start_is_an_environment_fault(handler: str) -> None:
    with Sandbox(handler, LIMITS) as sandbox, pytest.raises(EnvironmentFault, match="cannot start"):
        sandbox.call({})


def test_a_call_takes_less_than_10_ms(sandbox: Sandbox) -> None:
    sandbox.start()
    times = []
    for _ in range(200):
        began = time.perf_counter()
        sandbox.call({"do": "echo"})
        times.append(time.perf_counter() - began)
    # The fastest call: the others depend on how busy the machine is.
    assert min(times) < 0.01, "it takes about 0.2 ms on an idle machine"


def test_an_interrupted_call_leaves_no_stale_answer(sandbox: Sandbox) -> None:
    sandbox.start()
    interrupter = threading.Thread(target=interrupt_while, args=("_receive",), daemon=True)
    interrupter.start()
    with default_interrupts(), pytest.raises(KeyboardInterrupt):
        sandbox.call({"do": "hang_without_gil"})
    interrupter.join()
    assert sandbox.call({"do": "echo", "n": 1})[0]["echo"] == {"do": "echo", "n": 1}

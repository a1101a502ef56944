"""One child of the sandbox, as its parent sees it: start it, talk to it, watch it, and find out why it died."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from inkstream.ocr_core.errors import EnvironmentFault
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.sandbox.wire import BLOB_MOST, FRAME, HEADER_MOST, pack

_START_SECONDS = 60.0
_FIRST_SECONDS = 600.0
"""For a child with a first request, such as loading a model of gigabytes from a slow disk."""
_WATCH_SECONDS = 0.02
_STDERR_TAIL_BYTES = 300

_ENVIRONMENT = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "TESSDATA_PREFIX",
    "LD_LIBRARY_PATH",
    "CONDA_PREFIX",
    *("HOME", "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE"),  # where models are stored
)
_ENVIRONMENT_PYTHON = ("PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
_ENVIRONMENT_PREFIXES = ("LC_", "CUDA_", "PYTORCH_")
_ONE_THREAD = ("OMP_THREAD_LIMIT", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_ALLOCATION_SIGNALS = {signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGSEGV, signal.SIGBUS}
"""How native code ends when an allocation fails."""

_HANDLED = {1 << (number - 1): number for number in (*_ALLOCATION_SIGNALS, signal.SIGFPE)}
"""Masks of blocked signals of a child in the handler of one of these (a fork blocks all of them)."""

_NEAR = 1 / 3
"""Share of the memory budget above which such an end counts as out of memory: a buffer that doubles needs three
times its size (the old and the new one), so it can fail from a third of the budget on."""

_WATCH_FACTOR = 1.1
_WATCH_EXTRA_MB = 1.0
"""How far above its memory limit a child is killed from outside. RLIMIT_AS should stop it first, because
then the child itself can report what happened."""


class Over(Enum):
    """The limit that a call exceeded."""

    WALL = "wall"
    CPU = "cpu"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Cost:
    """The time that one call may take.

    Attributes:
        seconds: Wall-clock time.
        cpu_seconds: CPU time of the child.
    """

    seconds: float
    cpu_seconds: float


class Death(Exception):  # noqa: N818 - an event that only the sandbox sees
    """The child ended during a call.

    Args:
        over: The limit it exceeded, or None.
        how: `was ended by signal SIGSEGV`, `exited with status 3`, ...
        peak_mb: Most MiB it was seen to use beyond its idle size.
        from_outside: Whether another process sent SIGKILL.
    """

    def __init__(self, over: Over | None, how: str, peak_mb: float, from_outside: bool) -> None:
        super().__init__(over, how, peak_mb, from_outside)
        self.over = over
        self.how = how
        self.peak_mb = peak_mb
        self.from_outside = from_outside


_spawner: ThreadPoolExecutor | None = None
_spawner_lock = threading.Lock()


def _forget_spawner() -> None:
    global _spawner, _spawner_lock
    _spawner, _spawner_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_spawner)


def _spawn(arguments: list[str], keep: int, stderr: int) -> subprocess.Popen[bytes]:
    """Start a process from a thread that lives as long as this process.

    The kernel sends a child its parent-death signal when the *thread* that started it ends; the calling thread may end
    earlier.
    """
    global _spawner  # noqa: PLW0603
    with _spawner_lock:
        if _spawner is None:
            _spawner = ThreadPoolExecutor(1, thread_name_prefix="sandbox-spawner")
    return _spawner.submit(
        subprocess.Popen,
        arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env=_clean_environment(),
        pass_fds=(keep,),
        start_new_session=True,
    ).result()


def _clean_environment() -> dict[str, str]:
    """Return only the variables named here, so that a child that decodes untrusted files has no credentials."""
    names = {
        *_ENVIRONMENT,
        *_ENVIRONMENT_PYTHON,
        *(name for name in os.environ if name.startswith(_ENVIRONMENT_PREFIXES)),
    }
    kept = {name: os.environ[name] for name in sorted(names) if name in os.environ}
    return {**kept, **dict.fromkeys(_ONE_THREAD, "1")}


class Child:
    """A process that answers requests.

    Args:
        handler: `package.module:function`.
        limits: What a call may cost.
        first: A request that it answers while it starts, before the limits are set.

    Raises:
        EnvironmentFault: If no process can be started.
    """

    def __init__(self, handler: str, limits: LimitOptions, first: dict[str, Any] | None = None) -> None:
        self._limits = limits
        self._start_seconds = _FIRST_SECONDS if first else _START_SECONDS
        self.owner = os.getpid()
        self.calls = 0
        self.kept_mb = 0.0
        self._base_mb = self._base_rss_mb = self._high_rss_mb = self._peak_mb = 0.0
        self._ready = False
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        fcntl.fcntl(self._stderr, fcntl.F_SETFL, os.O_APPEND)
        self._socket, theirs = socket.socketpair()
        script = str(Path(__file__).with_name("child.py"))
        try:
            self._process = _spawn(
                [sys.executable, "-P", script, str(theirs.fileno()), str(self.owner)],
                theirs.fileno(),
                self._stderr.fileno(),
            )
        except OSError as error:
            self._socket.close()
            self._stderr.close()
            raise EnvironmentFault(f"no child process can be started: {error}", "free memory or processes") from error
        finally:
            theirs.close()
        hello = {
            "sys_path": [str(Path(entry).absolute()) for entry in sys.path],
            "handler": handler,
            "first": first,
            "memory_mb": limits.memory_mb,
        }
        with contextlib.suppress(OSError):  # already dead: `await_ready` says why
            self._socket.sendall(pack(hello, b""))

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def alive(self) -> bool:
        """Return whether it can take a request: it runs, and has not sent anything unasked."""
        return not select.select([self._socket], [], [], 0)[0]

    def await_ready(self) -> dict[str, Any] | None:
        """Wait until the handler is imported and the limits are set.

        Returns:
            The error that the handler raised for the first request, as it was sent; None if there was none.

        Raises:
            EnvironmentFault: If the child ends while it starts, or cannot import the handler.
            Death: If another process killed it meanwhile.
        """
        remedy = "run the same import in this Python and fix what it reports"
        try:
            header, _ = self._receive(time.monotonic() + self._start_seconds)
        except Death as death:
            if death.from_outside:
                raise
            output = f": {self._stderr_tail()}" if self._stderr_tail() else ""
            raise EnvironmentFault(f"a child process {death.how} while starting{output}", remedy) from None
        if "start_error" in header:
            raise EnvironmentFault(f"a child process cannot start: {header['start_error']}", remedy)
        self._base_mb, self._base_rss_mb = float(header["size_mb"]), float(header["rss_mb"])
        self._high_rss_mb = float(header["high_rss_mb"])
        self._ready = True
        problem = header.get("problem")
        return problem if isinstance(problem, dict) else None

    def exchange(
        self, request: dict[str, Any], blob: bytes, deadline: float, cpu_seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its answer.

        Args:
            request: Data that JSON can hold.
            blob: Bytes that go with it.
            deadline: On `time.monotonic()`.
            cpu_seconds: CPU time that it may take.

        Raises:
            Death: If the child ended, or had to be killed.
        """
        self._peak_mb = 0.0
        self.calls += 1
        os.ftruncate(self._stderr.fileno(), 0)
        self._send(pack({"request": request, "cpu_seconds": cpu_seconds}, blob), deadline)
        header, answer = self._receive(deadline)
        size_mb = header.get("size_mb")
        if not isinstance(size_mb, float) or not isinstance(header.get("error", header.get("reply")), dict):
            raise self._kill("answered with something that is not a reply")
        self.kept_mb = size_mb - self._base_mb
        return header, answer

    def close(self) -> None:
        """Kill the child and whatever it started, and close its handles."""
        if self.owner == os.getpid() and self._process.returncode is None:
            self._end()
        self._process.returncode = self._process.returncode or 0
        self._socket.close()
        self._stderr.close()

    def _send(self, frame: bytes, deadline: float) -> None:
        """Send a whole frame before the deadline; a child that is stopped or hangs does not read it."""
        rest = memoryview(frame)
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        while rest:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise self._died(Over.WALL)
            try:
                rest = rest[self._socket.send(rest, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._died(None) from None

    def _receive(self, deadline: float) -> tuple[dict[str, Any], bytes]:
        header_size, blob_size = FRAME.unpack(self._read(FRAME.size, deadline))
        if header_size > HEADER_MOST or blob_size > BLOB_MOST:
            raise self._kill("answered with a malformed frame")
        text, blob = self._read(header_size, deadline), self._read(blob_size, deadline)
        try:
            header = json.loads(text)
        except (ValueError, RecursionError):
            header = None
        if not isinstance(header, dict):
            raise self._kill("answered with a malformed frame")
        return header, bytes(blob)

    def _read(self, size: int, deadline: float) -> bytearray:
        """Read exactly `size` bytes; watch the clock and the child's memory while none arrive."""
        data = bytearray()
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while len(data) < size:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise self._died(Over.WALL)
            if not poll.poll(min(_WATCH_SECONDS, remaining) * 1000):
                self._watch()
                continue
            try:
                part = self._socket.recv(min(size - len(data), 1 << 20))
            except OSError:
                part = b""
            if not part:
                raise self._died(None)
            data += part
        return data

    def _watch(self) -> None:
        status = self._status()
        taken = int(status.get(b"VmSize", b"0").split()[0]) / 1024 - self._base_mb
        self._peak_mb = max(self._peak_mb, taken)
        handled = _HANDLED.get(int(status.get(b"SigBlk", b"0"), 16))
        if handled is not None:
            self._end()
            raise self._signalled(handled, self._peak_mb)
        if self._ready and taken > self._limits.memory_mb * _WATCH_FACTOR + _WATCH_EXTRA_MB:
            raise self._died(Over.MEMORY)

    def _status(self) -> dict[bytes, bytes]:
        """Return what the kernel reports about the child; nothing if it reports nothing."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_bytes().splitlines()
        except OSError:
            return {}
        return {key: value.strip() for key, _, value in (line.partition(b":") for line in lines)}

    def _kill(self, how: str) -> Death:
        self._end()
        return Death(None, how, self._peak_mb, from_outside=False)

    def _died(self, over: Over | None) -> Death:
        """Kill the child if it still runs, and return why it ended."""
        status, rss_mb = self._end(grace=over is None)
        grown = rss_mb - self._base_rss_mb if rss_mb > self._high_rss_mb else 0.0
        peak = max(self._peak_mb, grown)
        if over is not None:
            return Death(over, "was killed", peak, from_outside=False)
        if os.WIFSIGNALED(status):
            return self._signalled(os.WTERMSIG(status), peak)
        how = f"exited by itself with status {os.WEXITSTATUS(status)}"
        return Death(self._memory_if(peak, certain_only=True), how, peak, from_outside=False)

    def _signalled(self, number: int, peak: float) -> Death:
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"number {number}"
        how = f"was ended by signal {name}"
        if number == signal.SIGXCPU:
            return Death(Over.CPU, how, peak, from_outside=False)
        if number == signal.SIGKILL:
            over = self._memory_if(peak, certain_only=False) if self._ready else None
            return Death(over, how + " from outside", peak, from_outside=over is None)
        over = self._memory_if(peak, certain_only=number not in _ALLOCATION_SIGNALS)
        return Death(over, how, peak, from_outside=False)

    def _memory_if(self, peak: float, *, certain_only: bool) -> Over | None:
        output = self._stderr_tail()
        if "bad_alloc" in output or "MemoryError" in output or "out of memory" in output.lower():
            return Over.MEMORY
        near = not certain_only and peak >= _NEAR * self._limits.memory_mb
        return Over.MEMORY if near else None

    def _stderr_tail(self) -> str:
        """Return the end of what the child wrote to its stderr."""
        size = os.fstat(self._stderr.fileno()).st_size
        text = os.pread(self._stderr.fileno(), _STDERR_TAIL_BYTES, max(0, size - _STDERR_TAIL_BYTES))
        return " ".join(text.decode("utf-8", "replace").split())

    def _end(self, *, grace: bool = False) -> tuple[int, float]:
        """Kill the child, after a moment if `grace`, and what it started; wait for its end.

        Returns:
            Its wait status, and its highest resident size in MiB.
        """
        if self._process.returncode is not None:
            return 0, 0.0
        reaped, status, usage = (0, 0, None)
        try:
            until = time.monotonic() + (1.0 if grace else 0.0)
            while not reaped and time.monotonic() < until:
                reaped, status, usage = os.wait4(self.pid, os.WNOHANG)
                if not reaped:
                    time.sleep(0.001)
            _kill_group(self.pid)
            if not reaped:
                reaped, status, usage = os.wait4(self.pid, 0)
        except ChildProcessError:
            pass
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return status, usage.ru_maxrss / 1024 if usage else 0.0


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)

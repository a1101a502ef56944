"""The child's side of the sandbox: a script, run with its socket's number and its parent's process id."""

from __future__ import annotations

import ctypes
import importlib
import json
import math
import os
import resource
import signal
import socket
import struct
import sys
from collections.abc import Callable
from typing import Any

Handler = Callable[[dict[str, Any]], tuple[dict[str, Any], bytes]]

_PR_SET_PDEATHSIG = 1
_FRAME = struct.Struct("!II")


def main(descriptor: int, parent: int) -> None:
    """Serve requests until the parent hangs up."""
    _die_with(parent)
    with socket.socket(fileno=descriptor) as channel:
        channel.set_inheritable(False)
        hello = _receive(channel)
        if hello is None:
            return
        sys.path[:] = hello["sys_path"]
        try:
            handler = _import(hello["handler"])
        except BaseException as error:  # noqa: BLE001 - the parent reports it
            _send(channel, {"start_error": f"{type(error).__name__}: {error}"})
            return
        problem = _answer(handler, hello["first"])[0].get("error") if hello["first"] else None
        size_mb, rss_mb = _size()
        _limit_memory(size_mb + hello["memory_mb"])
        _send(channel, {"size_mb": size_mb, "rss_mb": rss_mb, "high_rss_mb": _high_rss_mb(), "problem": problem})
        while (frame := _receive(channel)) is not None:
            _limit_cpu(frame["cpu_seconds"])
            header, blob = _answer(handler, frame["request"])
            _send(channel, {**header, "size_mb": _size()[0]}, blob)


def _die_with(parent: int) -> None:
    """Make the kernel kill this process when its parent ends, however busy it is."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _sleep_on_fatal_signals()


def _sleep_on_fatal_signals() -> None:
    """Make this process sleep in the signal's handler when it aborts or faults, so that it keeps its memory.

    The parent checks every 20 ms whether a signal is being handled. It sees how much memory is in use, which
    distinguishes a failed allocation from a plain crash, and kills the process. The handler is libc's own
    async-signal-safe `sleep`, which takes the signal's number as seconds, so without a parent the process ends soon.
    """
    libc = ctypes.CDLL(None)
    sleep = ctypes.cast(libc.sleep, ctypes.c_void_p)
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    for number in (
        signal.SIGABRT,
        signal.SIGSEGV,
        signal.SIGBUS,
        signal.SIGILL,
        signal.SIGTRAP,
        signal.SIGFPE,
    ):
        libc.signal(number, sleep)


def _import(name: str) -> Handler:
    module, _, function = name.partition(":")
    handler: Handler = getattr(importlib.import_module(module), function)
    return handler


def _answer(handler: Handler, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from inkstream.ocr_core.errors import OUT_OF_MEMORY, ConfigError, DocumentError, EnvironmentFault, is_out_of_memory

    retire = False
    try:
        reply, blob = handler(request)
    except DocumentError as error:
        retire = error.kind == "memory"
        problem = {"kind": error.kind, "message": error.message}
    except ConfigError as error:
        problem = {"kind": "ConfigError", "message": str(error)}
    except EnvironmentFault as error:
        problem = {"kind": "EnvironmentFault", "message": error.problem, "remedy": error.remedy}
    except Exception as error:  # noqa: BLE001 - an unforeseen exception is also an answer
        retire = isinstance(error, MemoryError) or is_out_of_memory(error)
        problem = {"kind": "internal", "message": f"{type(error).__name__}: {error}"}
        if retire:
            problem = {"kind": "memory", "message": OUT_OF_MEMORY}
    else:
        return {"reply": reply, "retire": reply.pop("retire", False)}, blob
    return {"error": problem, "retire": retire}, b""


def _limit_memory(most_mb: float) -> None:
    most = int(most_mb * 2**20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_cpu(seconds: float) -> None:
    """Set the CPU limit this many seconds above what is used already; SIGXCPU ends the process there."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    ahead = math.ceil(used.ru_utime + used.ru_stime + seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (ahead, resource.RLIM_INFINITY))


def _size() -> tuple[float, float]:
    """Return address space and resident memory in MiB."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            size, resident = (int(pages) * resource.getpagesize() / 2**20 for pages in statm.read().split()[:2])
    except OSError:
        return _high_rss_mb(), _high_rss_mb()
    return size, resident


def _high_rss_mb() -> float:
    """Return the highest resident memory so far in MiB; it starts at that of the process that forked."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _receive(channel: socket.socket) -> dict[str, Any] | None:
    """Return the next frame's header, with its blob in the request; None if the parent has hung up."""
    lengths = _read(channel, _FRAME.size)
    if lengths is None:
        return None
    header_size, blob_size = _FRAME.unpack(lengths)
    data = _read(channel, header_size + blob_size)
    if data is None:
        return None
    header = dict(json.loads(data[:header_size]))
    if blob_size:
        header["request"]["blob"] = data[header_size:]
    return header


def _read(channel: socket.socket, size: int) -> bytes | None:
    data = bytearray()
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            return None
        data += part
    return bytes(data)


def _send(channel: socket.socket, header: dict[str, Any], blob: bytes = b"") -> None:
    from inkstream.ocr_core.sandbox.wire import pack

    channel.sendall(pack(header, blob))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

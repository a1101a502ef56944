"""Sandbox handlers that do to their process what hostile documents do."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import socket
import struct
import sys
import time
from pathlib import Path
from typing import Any

from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, FailureKind

Reply = tuple[dict[str, Any], bytes]


def handle(request: dict[str, Any]) -> Reply:
    """Do what `request["do"]` names."""
    done: Reply = globals()["do_" + request["do"]](request)
    return done


def do_echo(request: dict[str, Any]) -> Reply:
    return {"echo": request, "pid": os.getpid()}, bytes(request.get("blob", 0))


def do_segfault(_: dict[str, Any]) -> Reply:
    ctypes.string_at(0)
    return {}, b""


def do_abort(_: dict[str, Any]) -> Reply:
    os.abort()


def do_exit(_: dict[str, Any]) -> Reply:
    os._exit(3)


def do_system_exit(_: dict[str, Any]) -> Reply:
    sys.exit(4)


def do_hang_without_gil(_: dict[str, Any]) -> Reply:
    ctypes.CDLL(None).sleep(600)
    return {}, b""


def do_hang_with_gil(_: dict[str, Any]) -> Reply:
    ctypes.PyDLL(None).sleep(600)
    return {}, b""


def do_burn(_: dict[str, Any]) -> Reply:
    while True:
        pass


def do_eat_python_memory(_: dict[str, Any]) -> Reply:
    kept = []
    while True:
        kept.append(bytearray(10 << 20))


def do_eat_native_memory(_: dict[str, Any]) -> Reply:
    """Double a buffer until memory runs out, then abort, as PDFium does."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    size = 1 << 20
    while libc.malloc(ctypes.c_size_t(size)):
        size *= 2
    os.abort()


def do_say_bad_alloc(_: dict[str, Any]) -> Reply:
    os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
    os.abort()


def do_lift_limits_and_eat(request: dict[str, Any]) -> Reply:
    """Lift the memory limit, which only root may do, and eat memory."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return do_eat_python_memory(request)


def do_keep(request: dict[str, Any]) -> Reply:
    """Leak memory, so that the idle child grows."""
    _kept.append(bytearray(request["megabytes"] << 20))
    return {"pid": os.getpid()}, b""


_kept: list[bytearray] = []


def do_retire(_: dict[str, Any]) -> Reply:
    return {"pid": os.getpid(), "retire": True}, b""


def do_print(_: dict[str, Any]) -> Reply:
    print("to Python's stdout", flush=True)
    os.write(1, b"to the native stdout\n" * 10_000)
    os.write(2, b"to the native stderr\n" * 10_000)
    return {"printed": True}, b""


def do_malformed(request: dict[str, Any]) -> Reply:
    """Write the request's bytes to every socket of this process, then wait."""
    for name in os.listdir("/proc/self/fd"):
        try:
            channel = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        channel.sendall(bytes.fromhex(request["bytes"]))
        channel.detach()
    time.sleep(600)
    return {}, b""


def do_huge_reply(_: dict[str, Any]) -> Reply:
    return do_malformed({"bytes": struct.pack("!II", 1 << 31, 0).hex()})


def do_environment(_: dict[str, Any]) -> Reply:
    raw = Path("/proc/self/environ").read_bytes().decode()
    return {"environ": dict(os.environ), "raw": raw}, b""


def do_descriptors(_: dict[str, Any]) -> Reply:
    links = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            links[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
    return {"open": links}, b""


def do_grandchild(_: dict[str, Any]) -> Reply:
    """Start a process that would outlive this one, and return its pid."""
    pid = os.posix_spawn("/bin/sleep", ["sleep", "600"], {})
    return {"pid": pid}, b""


def do_killed_from_outside(request: dict[str, Any]) -> Reply:
    """Kill this process the first time, as an operator or the kernel would; a marker file shows that it was done."""
    marker = Path(request["marker"])
    if request.get("always") or not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"survived": True}, b""


def do_raise(request: dict[str, Any]) -> Reply:
    raise {
        "document": DocumentError(FailureKind.CORRUPT, "torn"),
        "config": ConfigError("no such variable"),
        "environment": EnvironmentFault("no data", "install it"),
        "value": ValueError("nobody foresaw this"),
        "memory": MemoryError(),
    }[request["what"]]

"""Run work that may crash, hang or exhaust memory in a supervised child process.

The child is an ordinary process started with `subprocess`, so it works under daemonic workers, has a clean environment,
and its wait status says why it died. Both ends exchange length-prefixed JSON and raw bytes over a socket: nothing that
the child sends is ever unpickled.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from typing import Any, Self

from inkstream.ocr_core.errors import ConfigError, DocumentError, EnvironmentFault, FailureKind
from inkstream.ocr_core.options.limits import LimitOptions
from inkstream.ocr_core.sandbox.process import Child, Cost, Death, Over

_GROWN = 0.25
"""Share of the memory budget that an idle child may keep from earlier calls before it is replaced."""

_STARTS = 3
"""Attempts to start a child, if other processes kill it while it starts."""


class Sandbox:
    """One supervised child that answers one call at a time.

    A call must be repeatable: if another process kills the child (a SIGKILL that was not sent here), the call is
    repeated once on a new child before the error is reported.

    Args:
        handler: `package.module:function`, imported in the child; takes a dict that JSON can hold and returns another
            one and bytes: `(request) -> (reply, blob)`. The child is replaced after a reply with `retire: true`.
        limits: What one call may cost, and after how many calls the child is replaced.
        first: A request that each new child answers while it starts. What it loads is part of the idle child and does
            not count towards any call; a child's successor loads it before the child is replaced.
        lasting: Whether the child is kept as long as it lives, whatever it has done and however much memory it keeps.
            It may then die of an earlier call, so a failed call is repeated once on a new child.
        task: What the child does, as the subject of messages.
    """

    def __init__(
        self,
        handler: str,
        limits: LimitOptions | None = None,
        first: dict[str, Any] | None = None,
        *,
        lasting: bool = False,
        task: str = "the page",
    ) -> None:
        self.handler = handler
        self.limits = limits or LimitOptions()
        self._first = first
        self._lasting = lasting
        self._task = task
        self._lock = threading.Lock()
        self._children: dict[str, Child] = {}
        self._finalizer = weakref.finalize(self, _close_all, self._children)

    @property
    def pid(self) -> int | None:
        """The child's process id; None if there is no child."""
        child = self._children.get("now")
        return child.pid if child else None

    def start(self) -> None:
        """Start the child now instead of at the first call.

        Raises:
            EnvironmentFault: If it cannot start, for instance because the handler cannot be imported.
        """
        with self._lock:
            self._ready_child()

    def call(
        self, request: dict[str, Any], blob: bytes = b"", cost: Cost | None = None
    ) -> tuple[dict[str, Any], bytes]:
        """Let the child answer one request.

        Args:
            request: Data that JSON can hold.
            blob: Bytes that the handler finds in its request as `blob`, unless there are none.
            cost: What this call may take; by default, what a page may take.

        Returns:
            The handler's reply and its bytes.

        Raises:
            DocumentError: If the handler raised it; else `timeout`, `memory`, `crash`, or `internal` for an unforeseen
                exception.
            ConfigError: If the handler raised it.
            EnvironmentFault: If the handler raised it, or the child cannot start.
        """
        cost = cost or Cost(self.limits.page_seconds, self.limits.page_cpu_seconds)
        with self._lock:
            try:
                return self._attempt(request, blob, cost)
            except Death as first:
                if not (first.from_outside or (self._lasting and first.over not in (Over.WALL, Over.CPU))):
                    raise _blame(first, self.limits, cost, self._task) from None
            except DocumentError as error:
                if not (self._lasting and error.kind is FailureKind.MEMORY):
                    raise
            try:
                return self._attempt(request, blob, cost)
            except Death as second:
                raise _blame(second, self.limits, cost, self._task) from None

    def close(self) -> None:
        """End the child. A later call starts a new one."""
        with self._lock:
            _close_all(self._children)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _attempt(self, request: dict[str, Any], blob: bytes, cost: Cost) -> tuple[dict[str, Any], bytes]:
        child = self._ready_child()
        keep = False
        try:
            header, answer = child.exchange(request, blob, time.monotonic() + cost.seconds, cost.cpu_seconds)
            keep = not header.get("retire")
        finally:
            if not keep:
                self._retire()
        self._renew(child)
        if "error" in header:
            raise _rebuilt(header["error"])
        return header["reply"], answer

    def _ready_child(self) -> Child:
        child = self._children.get("now")
        if child is not None and (child.owner != os.getpid() or not child.alive()):
            self._retire()
            child = None
        for attempt in range(_STARTS) if child is None else ():
            child = self._children.pop("next", None) or Child(self.handler, self.limits, self._first)
            self._children["now"] = child
            try:
                _await(child)
                break
            except Death as death:
                self._retire()
                if attempt == _STARTS - 1:
                    raise EnvironmentFault(
                        f"{self._task}'s process {death.how} while starting, {_STARTS} times",
                        "find out what kills processes on this machine; if memory is short, it is the kernel",
                    ) from None
            except BaseException:
                self._retire()
                raise
        assert child is not None
        return child

    def _renew(self, child: Child) -> None:
        """Replace a child after its share of calls, or if it keeps too much memory; start the next one call ahead."""
        if self._lasting:
            return
        if child.calls >= self.limits.recycle_after or child.kept_mb > _GROWN * self.limits.memory_mb:
            self._retire()
        elif child.calls == self.limits.recycle_after - 1:
            self._children["next"] = Child(self.handler, self.limits, self._first)

    def _retire(self) -> None:
        child = self._children.pop("now", None)
        if child is not None:
            child.close()


def _await(child: Child) -> None:
    problem = child.await_ready()
    if problem is not None:
        raise _rebuilt(problem)


def _close_all(children: dict[str, Child]) -> None:
    while children:
        children.popitem()[1].close()


def _rebuilt(error: dict[str, Any]) -> Exception:
    kind, message = str(error.get("kind")), str(error.get("message"))
    if kind == "ConfigError":
        return ConfigError(message)
    if kind == "EnvironmentFault":
        return EnvironmentFault(message, str(error.get("remedy")))
    try:
        return DocumentError(FailureKind(kind), message)
    except ValueError:
        return DocumentError(FailureKind.CRASH, "the child answered with an unknown kind of error")


def _blame(death: Death, limits: LimitOptions, cost: Cost, task: str) -> DocumentError:
    """Return the error that says in one sentence, for the row, why the child died."""
    if death.over is Over.WALL:
        return DocumentError(
            FailureKind.TIMEOUT,
            f"{task} took more than {cost.seconds:g} s (page_seconds) and was killed",
        )
    if death.over is Over.CPU:
        return DocumentError(
            FailureKind.TIMEOUT,
            f"{task} took more than {cost.cpu_seconds:g} CPU s (page_cpu_seconds) and was killed",
        )
    if death.over is Over.MEMORY:
        return DocumentError(
            FailureKind.MEMORY,
            f"{task} needs more than {limits.memory_mb} MiB (memory_mb): its process {death.how}, "
            f"with {death.peak_mb:.0f} MiB in use",
        )
    return DocumentError(FailureKind.CRASH, f"{task}'s process {death.how}")

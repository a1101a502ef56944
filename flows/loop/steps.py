"""Calls of the loop's steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class StepRunner(Protocol):
    """A function that calls one step of the loop, directly or as a task."""

    def __call__(self, name: str, label: str, call: Callable[[], T]) -> T:
        """Return what `call` returns. `name` is the same in every run, `label` identifies this call."""


def run_directly(name: str, label: str, call: Callable[[], T]) -> T:  # noqa: ARG001 - the protocol's shape
    """Call a step directly: the `StepRunner` without Prefect."""
    return call()

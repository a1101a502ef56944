"""How the loop calls its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    pass


T = TypeVar("T")


class StepRunner(Protocol):
    """Calls one step of the loop, by itself or as somebody's task."""

    def __call__(self, name: str, label: str, call: Callable[[], T]) -> T:
        """Runs `call` under a name that stays the same and a label that tells this run of it from others."""


def run_directly(name: str, label: str, call: Callable[[], T]) -> T:  # noqa: ARG001 - the protocol's shape
    """The `StepRunner` that just calls."""
    return call()

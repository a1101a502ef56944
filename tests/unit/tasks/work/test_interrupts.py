"""Interrupts that arrive where Python cannot raise them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import NoReturn

import pytest

from inkstream.tasks.work.interrupts import block_interrupts, interrupts_held, lost_interrupts_sent_again
from tests.interrupting import default_interrupts


class Finalized:
    """Raises a signal or an error when it is released.

    Args:
        number: The signal to raise; None raises a LookupError instead.
    """

    def __init__(self, number: signal.Signals | None) -> None:
        self._number = number

    def __del__(self) -> None:
        if self._number is None:
            raise LookupError("not found")
        signal.raise_signal(self._number)


@contextmanager
def handler(number: signal.Signals, action: object) -> Iterator[None]:
    before = signal.signal(number, action)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(number, before)


def interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def raise_in_finalizer(number: signal.Signals) -> None:
    Finalized(number)
    for _ in range(60):
        with suppress(Empty):  # short waits, because one that begins just after the interrupt is not ended by it
            SimpleQueue[None]().get(timeout=1)


def test_an_interrupt_in_a_finalizer_is_raised_after_it() -> None:
    before = sys.unraisablehook
    with default_interrupts(), pytest.raises(KeyboardInterrupt), lost_interrupts_sent_again():
        raise_in_finalizer(signal.SIGINT)
    assert sys.unraisablehook is before


def test_a_lost_interrupt_is_sent_as_sigterm_if_ctrl_c_is_ignored() -> None:
    with (
        handler(signal.SIGINT, signal.SIG_IGN),
        handler(signal.SIGTERM, interrupt),
        pytest.raises(KeyboardInterrupt),
        lost_interrupts_sent_again(),
    ):
        raise_in_finalizer(signal.SIGTERM)


def test_other_errors_in_a_finalizer_are_reported_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[type[BaseException]] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: seen.append(unraisable.exc_type))
    with lost_interrupts_sent_again():
        Finalized(None)
    assert seen == [LookupError]


def test_interrupts_are_blocked_in_this_thread_until_the_end_of_the_block() -> None:
    def blocked() -> bool:
        return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())

    with interrupts_held():
        assert blocked()
        assert signal.SIGINT in block_interrupts()
    assert not blocked()

"""Retries: how long to wait after a failed attempt, and a loop that waits and tries again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_never

from inkstream.ocr_core.errors import TransientError


def is_transient(error: BaseException) -> bool:
    """Return whether the same work may succeed later."""
    return isinstance(error, TransientError)


def delay(attempt: int, *, first: float, longest: float, factor: float = 2.0) -> float:
    """Return how long to wait after a failed attempt, in seconds.

    The wait grows with each attempt and is drawn at random between half of it and all of it, so that drivers that
    failed together do not try again together.

    Args:
        attempt: Number of attempts that have failed, from 1.
        first: The wait after the first attempt, in seconds.
        longest: The longest wait, in seconds.
        factor: Factor by which the wait grows from one attempt to the next.
    """
    whole = min(longest, first * factor ** (attempt - 1))
    return random.uniform(whole / 2, whole)  # noqa: S311 - jitter


def pause(seconds: float) -> None:
    """Wait. Every wait between attempts goes through here, so that tests can switch it off in one place."""
    time.sleep(seconds)


def back_off(attempt: int, *, first: float, longest: float) -> None:
    """Wait after a failed attempt, for as long as `delay` returns."""
    pause(delay(attempt, first=first, longest=longest))


def retrying(  # noqa: PLR0913 - the settings of a retry loop
    *,
    attempts: int | None,
    first: float,
    longest: float,
    factor: float = 2.0,
    is_worth_it: Callable[[BaseException], bool] = is_transient,
    before_pause: Callable[[BaseException], object] | None = None,
) -> Retrying:
    """Return a loop that calls a function until it succeeds: `retrying(...)(function, *arguments)`.

    The loop raises the function's last error if that is not worth another attempt or no attempt is left.

    Args:
        attempts: How often to call the function at most; None for no limit.
        first: The wait after the first attempt, in seconds.
        longest: The longest wait, in seconds.
        factor: Factor by which the wait grows from one attempt to the next.
        is_worth_it: Returns whether an error is worth another attempt.
        before_pause: Called with the error before each wait.
    """

    def tell(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if before_pause is not None and error is not None:
            before_pause(error)

    return Retrying(
        stop=stop_never if attempts is None else stop_after_attempt(attempts),
        wait=lambda state: delay(state.attempt_number, first=first, longest=longest, factor=factor),
        retry=retry_if_exception(is_worth_it),
        before_sleep=tell,
        sleep=pause,
        reraise=True,
    )

"""Waiting between attempts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inkstream.ocr_core.errors import ConfigError, SourceChangedError, TransientError
from inkstream.tasks import retries
from inkstream.tasks.retries import back_off, delay, retrying


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr(retries, "pause", waits.append)
    return waits


def failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def work() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return work


def test_waits_grow_to_the_longest_and_are_never_less_than_half() -> None:
    for attempt, whole in enumerate((0.2, 0.6, 1.8, 2.0, 2.0), start=1):
        waits = {delay(attempt, first=0.2, longest=2.0, factor=3.0) for _ in range(50)}
        assert whole / 2 <= min(waits) <= max(waits) <= whole
        assert len(waits) > 1


def test_work_is_repeated_until_it_succeeds(pauses: list[float]) -> None:
    reported: list[BaseException] = []
    errors = [TransientError("first"), TransientError("second")]
    work = retrying(attempts=3, first=1.0, longest=9.0, before_pause=reported.append)
    assert work(failing(*errors)) == "done"
    assert reported == errors
    assert [0.5 <= wait <= 2.0 for wait in pauses] == [True, True]


def test_the_last_error_is_raised_unchanged(pauses: list[float]) -> None:
    with pytest.raises(TransientError, match="second"):
        retrying(attempts=2, first=1.0, longest=9.0)(failing(TransientError("first"), TransientError("second")))
    assert len(pauses) == 1


def test_errors_that_are_not_worth_a_retry_are_raised_at_once(pauses: list[float]) -> None:
    with pytest.raises(ConfigError):
        retrying(attempts=None, first=1.0, longest=9.0)(failing(ConfigError("wrong")))
    changed = failing(SourceChangedError("overwritten"))
    with pytest.raises(SourceChangedError):
        retrying(attempts=3, first=1.0, longest=9.0, is_worth_it=lambda _: False)(changed)
    assert pauses == []


def test_backing_off_waits_once(pauses: list[float]) -> None:
    back_off(3, first=0.1, longest=5.0)
    assert 0.2 <= pauses[0] <= 0.4

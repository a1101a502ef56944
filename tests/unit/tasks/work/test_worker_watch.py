from __future__ import annotations

from typing import Any

import pytest

from inkstream.tasks.work.worker_watch import Illness, WorkerWatch, told


def worker(last_seen: float, status: str = "running", executing: int = 0) -> dict[str, Any]:
    return {"last_seen": last_seen, "status": status, "metrics": {"executing": executing}}


def test_a_worker_that_gives_no_sign_of_life_is_silent_after_a_while() -> None:
    watch = WorkerWatch(60)
    for now in range(61):
        assert watch.look({"a": worker(5.0), "b": worker(now)}, now) == {}
    assert watch.look({"a": worker(5.0), "b": worker(61)}, 61) == {"a": Illness.SILENT}
    assert watch.look({"a": worker(6.0), "b": worker(62)}, 62) == {}, "it has woken up"


def test_a_run_that_gives_up_soon_still_gives_workers_time_to_answer() -> None:
    watch = WorkerWatch(1)
    for now in (0, 20):
        assert watch.look({"a": worker(5.0)}, now) == {}


def test_a_worker_that_joins_late_has_its_own_time() -> None:
    watch = WorkerWatch(10)
    watch.look({"a": worker(1)}, 1)
    assert watch.look({"a": worker(50), "b": worker(-1000)}, 50) == {}, "the scheduler's clock may be another one"


@pytest.mark.parametrize(
    ("status", "executing", "is_ill"), [("running", 0, False), ("paused", 1, False), ("paused", 0, True)]
)
def test_a_paused_worker_is_ill_when_it_runs_nothing(status: str, executing: int, is_ill: bool) -> None:
    assert WorkerWatch(10).look({"a": worker(1, status, executing)}, 1) == ({"a": Illness.PAUSED} if is_ill else {})


def test_the_ill_workers_are_named() -> None:
    assert told({}) == ""
    assert told({"tcp://b:1": Illness.SILENT, "tcp://a:1": Illness.PAUSED}) == (
        "the worker tcp://a:1 is paused by Dask, because its memory is full; the worker tcp://b:1 does not answer"
    )

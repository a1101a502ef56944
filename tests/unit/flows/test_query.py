"""`StreamingQuery`, without a stream."""

from __future__ import annotations

import threading

import pytest

from inkstream.flows.loop.planners import Planner
from inkstream.flows.query import StreamingQuery
from inkstream.tasks.config import build_config
from inkstream.tasks.progress import Observer, Summary
from tests.interrupting import default_interrupts, interrupt_while

CONFIG = build_config({"source": {"url": "inbox"}, "sink": {"url": "memory://none"}})


def test_ctrl_c_while_waiting_does_not_stop_the_query() -> None:
    go_on = threading.Event()
    ended_runs = []

    def do(planner: Planner, *, observers: tuple[Observer, ...], run_id: str) -> Summary:
        interrupt_while("await_termination", waiting=True)
        go_on.wait(60)
        ended_runs.append(run_id)
        return Summary(table="none")

    query = StreamingQuery(CONFIG, do, pause=3600, once=False)
    with default_interrupts(), pytest.raises(KeyboardInterrupt):
        query.await_termination()
    assert (query.is_active, ended_runs) == (True, [])
    go_on.set()
    query.stop()
    assert (query.is_active, ended_runs) == (False, [query.run_id])
    assert query.await_termination()

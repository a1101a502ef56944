"""The values that the caller of a flow shares with its run."""

from __future__ import annotations

from inkstream.flows.under_prefect.watching import current_watch, watching
from inkstream.tasks.progress import Notice, Summary


def test_a_run_sees_its_callers_observers_and_shares_its_summary() -> None:
    seen: list[object] = []
    with watching([seen.append], None, "a run") as watch:
        for observer in current_watch().observers:
            observer(Notice("it is going on"))
        current_watch().summaries.append(Summary(table="tables/pages"))
    assert seen == [Notice("it is going on")]
    assert (watch.run_id, [summary.table for summary in watch.summaries]) == ("a run", ["tables/pages"])


def test_without_a_caller_nothing_is_shared() -> None:
    assert (current_watch().observers, current_watch().workers, current_watch().run_id) == ((), None, None)
    with watching([], None, "outer"):
        with watching([], None, "inner"):
            assert current_watch().run_id == "inner"
        assert current_watch().run_id == "outer"

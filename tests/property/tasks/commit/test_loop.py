"""Files are committed exactly once under any interleaving, crash, conflict or lost reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from inkstream.ocr_core.errors import EnvironmentFault, TransientError
from inkstream.tasks.commit.loop import commit_steps
from inkstream.tasks.commit.operations import (
    Append,
    Committed,
    CommittedSince,
    FindCommit,
    Landed,
    MakeDurable,
    ModifiedSince,
    Open,
    Opened,
    Wait,
)
from inkstream.tasks.model import FileKey
from tests.property import commit_model
from tests.property.commit_model import (
    EVENTS,
    ModelCommit,
    ModelTable,
    ModelWorld,
    Step,
    Trigger,
    control_trigger,
    inkstream_trigger,
    run_schedule,
)

KEYS = {0: ("file:///a", "e", 1), 1: ("file:///b", "e", 2)}

bursts = st.tuples(st.integers(0, 2), st.integers(0, 12), st.sampled_from(EVENTS))
schedules = st.lists(bursts, max_size=25)
special_drivers = st.fixed_dictionaries({name: st.integers(-1, 2) for name in ("replacing", "forgetting", "partly")})


def _is_clean(world: ModelWorld) -> bool:
    return not world.duplicated() and not world.lost()


@settings(max_examples=600)
@given(schedule=schedules, batch_size=st.integers(1, 4), drivers=special_drivers)
def test_files_are_committed_exactly_once_and_stay_forgotten(
    schedule: list[tuple[int, int, str]], batch_size: int, drivers: dict[str, Any]
) -> None:
    world = run_schedule(inkstream_trigger, schedule, batch_size=batch_size, **drivers)
    assert world.duplicated() == set()
    assert world.lost() == set()
    assert world.resurrected() == set()


@settings(max_examples=600)
@given(schedule=schedules, batch_size=st.integers(1, 4), drivers=special_drivers)
def test_upserts_leave_the_newest_version_of_each_path_and_nothing_else(
    schedule: list[tuple[int, int, str]], batch_size: int, drivers: dict[str, Any]
) -> None:
    world = run_schedule(inkstream_trigger, schedule, batch_size=batch_size, upsert=True, **drivers)
    assert world.duplicated() == set()
    assert set(world.count()) == set(world.listing())
    assert world.resurrected() == set()


def test_the_oracle_catches_upserts_without_the_modified_since_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_model, "table_step", _answering(ModifiedSince, {}))

    def wrong(schedule: list[tuple[int, int, str]]) -> bool:
        return not _is_clean(run_schedule(inkstream_trigger, schedule, batch_size=2, replacing=-1, upsert=True))

    assert find(schedules, wrong, settings=settings(max_examples=2000, database=None, derandomize=True))


def _failing_schedule(trigger: Trigger) -> list[tuple[int, int, str]]:
    return find(
        schedules,
        lambda schedule: not _is_clean(run_schedule(trigger, schedule, batch_size=2, replacing=-1)),
        settings=settings(max_examples=2000, database=None, derandomize=True),
    )


def test_the_oracle_catches_a_driver_with_a_separate_state_file() -> None:
    schedule = _failing_schedule(control_trigger)
    assert not _is_clean(run_schedule(control_trigger, schedule, batch_size=2, replacing=-1))
    with pytest.raises(NoSuchExample):
        _failing_schedule(inkstream_trigger)


def _answering(kind: type[Any], answer: Any) -> Callable[..., Step]:
    original = commit_model.table_step

    def table_step(*args: Any) -> Step:
        return Step(lambda: answer) if isinstance(args[2], kind) else original(*args)

    return table_step


def _append_always(table: ModelTable, handle: int, commit: ModelCommit) -> int:
    table.log.append(commit)
    return len(table.log)


def test_the_oracle_catches_appends_without_the_committed_since_check(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commit_model, "table_step", _answering(CommittedSince, frozenset()))
    assert _failing_schedule(inkstream_trigger)


def test_a_run_that_ignores_commits_between_its_own_writes_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(planned_at: int, committed: Committed) -> int:
        return planned_at if committed.batch_id is None else committed.batch_id

    def writes_twice(schedule: list[tuple[int, int, str]]) -> bool:
        return bool(run_schedule(inkstream_trigger, schedule, batch_size=1, replacing=-1, partly=0).duplicated())

    search_settings = settings(max_examples=2000, database=None, derandomize=True)
    with pytest.raises(NoSuchExample):
        find(schedules, writes_twice, settings=search_settings)
    monkeypatch.setattr(commit_model, "seen_after", careless)
    assert find(schedules, writes_twice, settings=search_settings)


def _delete_only(table: ModelTable, version: int) -> list[tuple[FileKey, int]]:
    """Return the rows that would exist if forgetting left no row for the file."""
    rows: list[tuple[FileKey, int]] = []
    for commit in table.log[:version]:
        if commit.replaces:
            rows = [row for row in rows if row[0] not in commit.added]
        if not commit.forgets:
            rows += [(key, commit.transaction) for key in commit.added]
    return rows


def test_the_oracle_catches_a_forget_that_leaves_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def comes_back(schedule: list[tuple[int, int, str]]) -> bool:
        world = run_schedule(inkstream_trigger, schedule, batch_size=2, replacing=-1, forgetting=1)
        return bool(world.resurrected())

    search_settings = settings(max_examples=2000, database=None, derandomize=True)
    with pytest.raises(NoSuchExample):
        find(schedules, comes_back, settings=search_settings)
    monkeypatch.setattr(ModelTable, "rows", _delete_only)
    assert find(schedules, comes_back, settings=search_settings)


def test_the_oracle_catches_a_table_without_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelTable, "append", _append_always)
    assert _failing_schedule(inkstream_trigger)


def _drive(*answers: Any, planned_at: int = -1, max_attempts: int = 3) -> tuple[list[Any], Any]:
    """Send answers (errors are thrown) and return the operations with the result."""
    steps = commit_steps(KEYS, commit_id="me", planned_at=planned_at, max_attempts=max_attempts)
    operations: list[Any] = [next(steps)]
    try:
        for answer in answers:
            throw = isinstance(answer, Exception)
            operations.append(steps.throw(answer) if throw else steps.send(answer))
        if isinstance(operations[-1], MakeDurable):
            steps.send(None)
    except StopIteration as stop:
        return operations, stop.value
    except Exception as error:  # noqa: BLE001 - the test inspects it
        return operations, error
    return operations, None


def test_an_undisturbed_commit_reads_no_rows() -> None:
    operations, end = _drive(Opened(7, 3), 8, planned_at=3)
    assert operations == [Open(), Append((0, 1), 4, "me"), MakeDurable(8)]
    assert end == Committed(4, 8, (0, 1), ())


def test_files_committed_by_another_driver_are_left_out() -> None:
    operations, end = _drive(Opened(7, 5), frozenset({KEYS[0]}), 8, planned_at=3)
    assert operations == [Open(), CommittedSince(3), Append((1,), 6, "me"), MakeDurable(8)]
    assert end == Committed(6, 8, (1,), (0,))


def test_nothing_is_committed_if_no_file_is_left() -> None:
    operations, end = _drive(Opened(7, 5), frozenset(KEYS.values()), planned_at=3)
    assert operations[2:] == [MakeDurable(7)], "the source may be cleaned of files that others have committed"
    assert end == Committed(None, 7, (), (0, 1))


def test_a_commit_whose_reply_was_lost_is_found() -> None:
    operations, end = _drive(Opened(7, 3), TransientError("reset"), None, Opened(9, 4), Landed(4, 8), planned_at=3)
    assert operations == [Open(), Append((0, 1), 4, "me"), Wait(1), Open(), FindCommit("me", 7), MakeDurable(8)]
    assert end == Committed(4, 8, (0, 1), ())


def test_a_conflicting_commit_is_retried_with_the_remaining_files() -> None:
    answers = [Opened(7, 3), TransientError("conflict"), None, Opened(8, 4), None, frozenset({KEYS[1]}), 9]
    operations, end = _drive(*answers, planned_at=3)
    assert operations[4:] == [FindCommit("me", 7), CommittedSince(3), Append((0,), 5, "me"), MakeDurable(9)]
    assert end == Committed(5, 9, (0,), (1,))


def test_a_permanent_error_is_raised_unless_the_commit_landed() -> None:
    fault = EnvironmentFault("forbidden", "ask")
    operations, end = _drive(Opened(7, 3), fault, Opened(7, 3), None, planned_at=3)
    assert operations[2:] == [Open(), FindCommit("me", 7)]
    assert end is fault
    _, end = _drive(Opened(7, 3), fault, Opened(8, 4), Landed(4, 8), planned_at=3)
    assert end == Committed(4, 8, (0, 1), ())


def test_an_error_before_the_first_append_is_raised_at_once() -> None:
    fault = EnvironmentFault("forbidden", "ask")
    operations, end = _drive(fault)
    assert (operations, end) == ([Open()], fault)


@pytest.mark.parametrize("error", [TransientError("no reply"), EnvironmentFault("no space", "ask")], ids=type)
def test_a_commit_that_is_not_durable_is_not_acknowledged(error: Exception) -> None:
    operations, end = _drive(Opened(7, 3), 8, error, planned_at=3)
    assert operations[-1] == MakeDurable(8)
    assert end is error


def test_attempts_are_bounded_and_end_with_a_search_for_the_commit() -> None:
    conflict = [TransientError("conflict"), None]
    answers = [Opened(1, 0), *conflict, Opened(2, 0), None, *conflict, Opened(3, 0), None]
    operations, end = _drive(*answers, planned_at=0, max_attempts=2)
    assert [type(operation) for operation in operations].count(Append) == 2
    assert isinstance(operations[-1], FindCommit)
    assert isinstance(end, TransientError)


def test_a_table_restored_to_before_the_plan_is_not_written() -> None:
    operations, end = _drive(Opened(1, 2), None, Opened(1, 2), None, Opened(1, 2), None, Opened(1, 2), planned_at=3)
    assert not any(isinstance(operation, Append) for operation in operations)
    assert isinstance(end, TransientError)
    assert "plan again" in str(end)

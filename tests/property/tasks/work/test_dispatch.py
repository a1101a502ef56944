"""The dispatch state machine under any order of successes, transient failures and dying workers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inkstream.tasks.model import PagesAgain
from inkstream.tasks.work.dispatch import Dispatch, FileState, PageRange, next_range

NO_PAGE = -1
Killers = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 40)), max_size=3)


@given(
    pages=st.lists(st.one_of(st.none(), st.integers(1, 40)), min_size=1, max_size=5),
    per_range=st.integers(1, 9),
    window=st.integers(1, 6),
    killers=Killers,
    flaky=st.sets(st.integers(0, 4), max_size=2),
    chosen=st.none() | st.sets(st.integers(0, 40)),
    some=st.dictionaries(st.integers(0, 4), st.sets(st.integers(0, 39), min_size=1), max_size=3),
    data=st.data(),
)
def test_every_page_has_exactly_one_result_and_only_killers_are_convicted(
    pages: list[int | None],
    per_range: int,
    window: int,
    killers: set[tuple[int, int]],
    flaky: set[int],
    chosen: set[int] | None,
    some: dict[int, set[int]],
    data: st.DataObject,
) -> None:
    def selected(total: int) -> list[int]:
        return [page for page in range(total) if chosen is None or page in chosen]

    again = pages_again(pages, some)
    dispatch = Dispatch(len(pages), pages_per_range=per_range, max_attempts=2, selected=selected, again=again)
    running: list[PageRange] = []
    results: dict[int, list[int]] = {i: [] for i in range(len(pages))}
    convicted: set[tuple[int, int]] = set()
    steps = 0
    while not dispatch.finished:
        steps += 1
        assert steps < 10_000, "the dispatch does not come to an end"
        while len(running) < window and (work := dispatch.next()) is not None:
            if work.alone:
                assert not running, "a suspect must run with nothing else in flight"
            running.append(work)
        assert running, "nothing runs and nothing is finished"
        work = running.pop(data.draw(st.integers(0, len(running) - 1)))
        total = pages[work.file]
        planned = selected(total) if total is not None else []
        here = (planned[: work.count] if work.is_probe else list(work.pages)) or [NO_PAGE]
        if work.file in flaky:
            dispatch.failed_for_now(work, "reset")
        elif any((work.file, page) in killers for page in here):
            if dispatch.worker_died(work):
                convicted.add((work.file, here[0]))
                results[work.file].append(NO_PAGE if work.is_probe else here[0])
                dispatch.succeeded(work, total=work.total, results=1)
        else:
            results[work.file].extend(here)
            dispatch.succeeded(work, total=total, results=len(here))
    assert convicted <= killers
    for index, total in enumerate(pages):
        if index in flaky:
            assert dispatch.state(index) is FileState.LEFT_OUT
            continue
        assert dispatch.state(index) is FileState.DONE
        expected = selected(total) if total is not None else []
        if index in again:
            expected = list(again[index].pages)
        elif not expected or (index, expected[0]) in killers:
            expected = [NO_PAGE]
        assert sorted(results[index]) == expected


def pages_again(totals: list[int | None], some: dict[int, set[int]]) -> dict[int, PagesAgain]:
    """Return the files to read again in part, with the existing pages to read."""
    again = {}
    for index, total in enumerate(totals):
        wanted = tuple(sorted(page for page in some.get(index, ()) if page < (total or 0)))
        if wanted and total:
            again[index] = PagesAgain(total, wanted, None)
    return again


@given(small=st.integers(1, 20), window=st.integers(1, 4))
def test_a_huge_file_does_not_delay_small_ones(small: int, window: int) -> None:
    """Every small file starts before the huge first one has had two more ranges."""
    dispatch = Dispatch(small + 1, pages_per_range=8, max_attempts=1)
    started: list[int] = []
    running: list[PageRange] = []
    for _ in range(2 * (small + 1)):
        while len(running) < window and (work := dispatch.next()) is not None:
            started.append(work.file)
            running.append(work)
        if running:
            work = running.pop(0)
            total = 3000 if work.file == 0 else 1
            dispatch.succeeded(work, total=total, results=len(work.pages) or min(work.count, total))
    last_small = max(started.index(i) for i in range(1, small + 1))
    assert started[: last_small + 1].count(0) <= 2


@given(
    batches=st.lists(st.lists(st.integers(1, 12), min_size=1, max_size=4), min_size=1, max_size=4),
    per_range=st.integers(1, 5),
    window=st.integers(1, 6),
    killers=st.sets(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 11)), max_size=3),
    data=st.data(),
)
def test_two_batches_share_the_workers_and_suspects_still_run_alone(
    batches: list[list[int]],
    per_range: int,
    window: int,
    killers: set[tuple[int, int, int]],
    data: st.DataObject,
) -> None:
    """Batches end in order, at most two are open, and only killers are convicted."""
    dispatches = [Dispatch(len(files), pages_per_range=per_range, max_attempts=2) for files in batches]
    running: list[tuple[int, PageRange]] = []
    results: set[tuple[int, int, int]] = set()
    convicted: set[tuple[int, int, int]] = set()
    for current, dispatch in enumerate(dispatches):
        following = dispatches[current + 1] if current + 1 < len(dispatches) else None
        while not dispatch.finished:
            while len(running) < window:
                assigned = next_range(dispatch, following, [work for _, work in running])
                if assigned is None:
                    break
                if assigned[1].alone:
                    assert not running, "a suspect must run with nothing else in flight, of any batch"
                running.append((dispatches.index(assigned[0]), assigned[1]))
            assert running, "nothing runs and nothing is finished"
            whose, work = running.pop(data.draw(st.integers(0, len(running) - 1)))
            assert whose in (current, current + 1)
            pages = list(work.pages) or list(range(min(work.count, batches[whose][work.file])))
            keys = {(whose, work.file, page) for page in pages}
            if killers & keys and not dispatches[whose].worker_died(work):
                continue
            convicted |= killers & keys
            assert not results & keys
            results |= keys
            dispatches[whose].succeeded(work, total=batches[whose][work.file], results=len(pages))
    assert convicted <= killers
    assert results == {(b, f, p) for b, files in enumerate(batches) for f, n in enumerate(files) for p in range(n)}

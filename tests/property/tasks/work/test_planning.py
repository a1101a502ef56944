"""Planning partitions any files into batches within the caps."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from inkstream.tasks.config import TriggerOptions
from inkstream.tasks.model import FileVersion
from inkstream.tasks.work.planning import page_ranges, page_runs, plan_batches

sizes = st.lists(st.integers(0, 50), max_size=40)


@given(sizes, st.integers(1, 10), st.none() | st.integers(1, 100))
def test_batches_hold_the_files_in_order_within_the_caps(
    sizes: list[int], max_files: int, max_bytes: int | None
) -> None:
    files = [FileVersion(f"file:///{i}", "e", size, datetime.now(UTC)) for i, size in enumerate(sizes)]
    trigger = TriggerOptions(max_files_per_trigger=max_files, max_bytes_per_trigger=max_bytes)
    ids = map(str, itertools.count())
    batches = plan_batches(files, stream="s", trigger=trigger, planned_at=4, new_attempt_id=lambda: next(ids))
    assert [file for batch in batches for file in batch.files] == files
    assert len({batch.attempt_id for batch in batches}) == len(batches)
    for batch, following in itertools.zip_longest(batches, batches[1:]):
        total = sum(file.size for file in batch.files)
        assert (batch.stream, batch.planned_at) == ("s", 4)
        assert 1 <= len(batch.files) <= max_files
        assert max_bytes is None or total <= max_bytes or len(batch.files) == 1
        if following is not None:  # no batch is cut short without need
            full = len(batch.files) == max_files
            assert full or (max_bytes is not None and total + following.files[0].size > max_bytes)


@given(st.lists(st.integers(0, 60)), st.integers(1, 9))
def test_ranges_hold_the_pages_in_order(wanted: list[int], per_range: int) -> None:
    ranges = page_ranges(wanted, per_range)
    assert [page for pages in ranges for page in pages] == wanted
    assert all(1 <= len(pages) <= per_range for pages in ranges)


@given(st.sets(st.integers(0, 40)), st.integers(1, 9))
def test_runs_hold_the_pages_in_order_without_gaps(pages: set[int], longest: int) -> None:
    runs = page_runs(sorted(pages), longest)
    assert [page for run in runs for page in run] == sorted(pages)
    assert all(1 <= len(run) <= longest for run in runs)
    for run, following in itertools.pairwise(runs):
        assert run.stop < following.start or len(run) == longest

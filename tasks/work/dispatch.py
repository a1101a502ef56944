"""Which page range runs next, and who is to blame when a worker dies: a pure state machine, no I/O.

Files take turns: one range of each file that has any ready, then the next file, so a file of 3,000 pages starves
nobody. When Dask gives a range up because its workers kept dying, its pages become suspects: they run one page at a
time with nothing else in flight, so that a second death convicts the page and not its neighbours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from inkstream.tasks.model import PagesAgain
from inkstream.tasks.work.planning import page_ranges, page_runs


@dataclass(frozen=True, slots=True)
class PageRange:
    """Pages of one file that are processed in one go.

    Attributes:
        file: Index of the file in its batch.
        pages: Which, 0-based; none while nobody knows how many there are: such a range probes the file, and goes on
            with the first ones to be read.
        count: Pages wanted at most.
        total: Pages of the file; None until the probe has said so.
        alone: A suspect: runs with nothing else in flight.
        attempt: 1 for the first try; counts transient failures only.
    """

    file: int
    pages: Sequence[int]
    count: int
    total: int | None = None
    alone: bool = False
    attempt: int = 1

    @property
    def is_probe(self) -> bool:
        """Whether this range finds out how many pages the file has."""
        return self.total is None


class FileState(StrEnum):
    """Where a file stands."""

    OPEN = "open"
    DONE = "done"
    LEFT_OUT = "left_out"


@dataclass(slots=True)
class _File:
    ready: deque[PageRange] = field(default_factory=deque)
    wanted: int | None = None
    results: int = 0
    state: FileState = FileState.OPEN
    reason: str | None = None


class Dispatch:
    """The state of one batch while it is processed.

    Args:
        files: How many files the batch has.
        pages_per_range: Pages of one file processed in one go.
        max_attempts: Tries of a range that fails for the moment's reasons before its file is left out.
        selected: Says which pages are to be read of a file with so many, 0-based and in order; all if not given.
        again: Files of which only these pages are wanted; the others are probed and wanted as `selected` says.
    """

    def __init__(
        self,
        files: int,
        *,
        pages_per_range: int,
        max_attempts: int,
        selected: Callable[[int], Sequence[int]] = range,
        again: Mapping[int, PagesAgain] | None = None,
    ) -> None:
        self._pages_per_range = pages_per_range
        self._selected = selected
        self._max_attempts = max_attempts
        self._files = [_File(ready=deque([PageRange(i, (), pages_per_range)])) for i in range(files)]
        for index, some in (again or {}).items():
            runs = page_runs(some.pages, pages_per_range)
            ranges = deque(PageRange(index, run, len(run), some.total) for run in runs)
            self._files[index] = _File(ranges, wanted=len(some.pages))
        self._turns: deque[int] = deque(range(files))
        self._suspects: deque[PageRange] = deque()
        self._running = 0

    @property
    def finished(self) -> bool:
        """Whether every file is done or left out and nothing runs."""
        return self._running == 0 and all(file.state is not FileState.OPEN for file in self._files)

    @property
    def running(self) -> int:
        """Ranges handed out and not yet reported back."""
        return self._running

    @property
    def has_suspects(self) -> bool:
        """Whether pages wait to be run with nothing else in flight."""
        return bool(self._suspects)

    def next(self, *, quiet: bool = True) -> PageRange | None:
        """Returns the range to start now, or None when there is nothing to start before something ends.

        Args:
            quiet: Whether nothing of another batch is in flight: only then may a suspect run.
        """
        while self._turns:
            index = self._turns.popleft()
            file = self._files[index]
            if file.state is FileState.LEFT_OUT or not file.ready:
                continue
            work = file.ready.popleft()
            if file.ready:
                self._turns.append(index)
            self._running += 1
            return work
        if quiet and self._running == 0:
            return self._next_suspect()
        return None

    def succeeded(self, work: PageRange, *, total: int | None, results: int) -> None:
        """Takes in a range that ran.

        Args:
            work: The range.
            total: Pages of the file; None when they cannot be counted (then there is one result).
            results: Results that came back: one a page, or the one of a file with no page to be read.
        """
        self._running -= 1
        file = self._files[work.file]
        if file.state is FileState.LEFT_OUT:
            return
        if work.is_probe:
            pages = self._selected(total) if total is not None else ()
            file.wanted = len(pages) or 1
            for rest in page_ranges(pages[results:], self._pages_per_range):
                self._queue(PageRange(work.file, rest, len(rest), total))
        file.results += results
        if file.results == file.wanted:
            file.state = FileState.DONE

    def failed_for_now(self, work: PageRange, reason: str) -> None:
        """Takes in a range that failed for the moment's reasons: it runs again, or its file is left out."""
        self._running -= 1
        file = self._files[work.file]
        if file.state is FileState.LEFT_OUT:
            return
        if work.attempt >= self._max_attempts:
            self.leave_out(work.file, reason)
            return
        again = replace(work, attempt=work.attempt + 1)
        if again.alone:
            self._suspects.append(again)
        else:
            self._queue(again)

    def failed_for_good(self, work: PageRange, reason: str) -> None:
        """Takes in a range whose file is left out, as trying again would not help."""
        self._running -= 1
        self.leave_out(work.file, reason)

    def leave_out(self, file: int, reason: str) -> None:
        """Leaves a file out of the commit; it is planned again at the next trigger."""
        self._files[file].state = FileState.LEFT_OUT
        self._files[file].reason = reason
        self._files[file].ready.clear()

    def worker_died(self, work: PageRange) -> bool:
        """Takes in a range that Dask gave up because its workers kept dying.

        Returns:
            True when the page is convicted: it ran alone and a worker died again. The range then still counts as
            running until the caller has reported the page's `crash` as its result, by `succeeded`.
        """
        if work.alone and work.count == 1:
            return True
        self._running -= 1
        if self._files[work.file].state is FileState.LEFT_OUT:
            return False
        for pages in page_ranges(work.pages, 1) or [()]:
            self._suspects.append(PageRange(work.file, pages, 1, work.total, alone=True))
        return False

    def state(self, file: int) -> FileState:
        """Returns where a file stands."""
        return self._files[file].state

    def reason(self, file: int) -> str | None:
        """Returns why a file was left out, or None."""
        return self._files[file].reason

    def _next_suspect(self) -> PageRange | None:
        while self._suspects:
            work = self._suspects.popleft()
            if self._files[work.file].state is not FileState.LEFT_OUT:
                self._running += 1
                return work
        return None

    def _queue(self, work: PageRange) -> None:
        file = self._files[work.file]
        if not file.ready:
            self._turns.append(work.file)
        file.ready.append(work)


def next_range(
    current: Dispatch, following: Dispatch | None, running: Sequence[PageRange]
) -> tuple[Dispatch, PageRange] | None:
    """Returns the range to start now, and whose it is; None when there is nothing to start before something ends.

    The following batch gets what the current one leaves idle, and nothing while one of its suspects runs or waits.

    Args:
        current: The batch that is committed next.
        following: The one after it.
        running: What runs now, of both.
    """
    work = current.next(quiet=len(running) == current.running)
    if work is not None:
        return current, work
    if following is None or current.has_suspects or any(other.alone for other in running):
        return None
    work = following.next(quiet=False)
    return None if work is None else (following, work)

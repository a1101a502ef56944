"""A state machine, without I/O, that decides which page range runs next and which page killed a worker.

Files take turns, one range at a time, so a file of 3,000 pages does not starve the others. If Dask gives up a range
because its workers kept dying, its pages become suspects: they run one page at a time with nothing else in flight, so
that a second death is blamed on the right page.
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
    """Pages of one file that are processed in one task.

    Attributes:
        file: Index of the file in its batch.
        pages: Page numbers, 0-based. Empty while the number of pages is unknown: such a range probes the file, then
            reads its first pages.
        count: Maximum number of pages.
        total: Number of pages of the file; None before the probe.
        alone: Whether the range is a suspect, which runs with nothing else in flight.
        attempt: Number of the attempt, from 1; only transient failures count.
    """

    file: int
    pages: Sequence[int]
    count: int
    total: int | None = None
    alone: bool = False
    attempt: int = 1

    @property
    def is_probe(self) -> bool:
        """Whether this range finds out the file's number of pages."""
        return self.total is None


class FileState(StrEnum):
    """The state of a file in its batch."""

    OPEN = "open"
    DONE = "done"
    LEFT_OUT = "left_out"
    UNCHANGED = "unchanged"


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
        files: Number of files in the batch.
        pages_per_range: Pages of one file that are processed in one task.
        max_attempts: Attempts at a range with transient faults before its file is left out.
        selected: Returns the pages to read, 0-based and in order, given a file's number of pages; all if not given.
        again: Pages to read of some files, by index. The other files are probed and read as `selected` says.
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
        for index, redo in (again or {}).items():
            runs = page_runs(redo.pages, pages_per_range)
            ranges = deque(PageRange(index, run, len(run), redo.total) for run in runs)
            self._files[index] = _File(ranges, wanted=len(redo.pages))
        self._turns: deque[int] = deque(range(files))
        self._suspects: deque[PageRange] = deque()
        self._running = 0

    @property
    def finished(self) -> bool:
        """Whether every file is done or left out, and nothing is running."""
        return self._running == 0 and all(file.state is not FileState.OPEN for file in self._files)

    @property
    def running(self) -> int:
        """Number of ranges that were handed out and not yet reported back."""
        return self._running

    @property
    def has_suspects(self) -> bool:
        """Whether suspects wait to be run with nothing else in flight."""
        return bool(self._suspects)

    def next(self, *, quiet: bool = True) -> PageRange | None:
        """Return the range to start now, or None if a running one has to end first.

        Args:
            quiet: Whether nothing of another batch is in flight, so that a suspect may run.
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
        """Record a range that ran.

        Args:
            work: The range.
            total: Number of pages of the file; None if they cannot be counted (then there is one result).
            results: Number of results: one per page, or one for a file with no page to read.
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
        """Record a range with a transient fault. It runs again, or its file is left out."""
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
        """Record a range that failed permanently. Its file is left out."""
        self._running -= 1
        self.leave_out(work.file, reason)

    def skip_unchanged(self, work: PageRange) -> None:
        """Record a range of a file that is not read, because its bytes have rows."""
        self._running -= 1
        self._files[work.file].state = FileState.UNCHANGED
        self._files[work.file].ready.clear()

    def leave_out(self, file: int, reason: str) -> None:
        """Leave a file out of the commit; it is planned again at the next trigger."""
        self._files[file].state = FileState.LEFT_OUT
        self._files[file].reason = reason
        self._files[file].ready.clear()

    def worker_died(self, work: PageRange) -> bool:
        """Record a range that Dask gave up because its workers kept dying.

        Returns:
            True if the page is to blame: it ran alone and a worker died again. The range then counts as running until
            the caller reports the page's `crash` as its result with `succeeded`.
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
        """Return the state of a file."""
        return self._files[file].state

    def reason(self, file: int) -> str | None:
        """Return why a file was left out, or None."""
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
    """Return the range to start now with its batch's dispatch, or None if a running range has to end first.

    The following batch uses the workers that the current one leaves idle, and none while a suspect runs or waits.

    Args:
        current: The dispatch of the batch that is committed next.
        following: The dispatch of the batch after it.
        running: The ranges of both that are running.
    """
    work = current.next(quiet=len(running) == current.running)
    if work is not None:
        return current, work
    if following is None or current.has_suspects or any(other.alone for other in running):
        return None
    work = following.next(quiet=False)
    return None if work is None else (following, work)

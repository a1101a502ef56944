"""What a run prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from inkstream.flows.text import human_bytes, print_json, short_name, visible
from inkstream.tasks.progress import (
    BatchDone,
    Cleaned,
    Compacted,
    Event,
    Listed,
    MessagesTaken,
    Notice,
    Planned,
    RangeDone,
    Summary,
)

if TYPE_CHECKING:
    from inkstream.ocr_core.errors import TransientError


@dataclass(frozen=True, slots=True)
class Words:
    """How a run speaks of what it does.

    Attributes:
        looking: While it finds out what there is to do.
        files: What its files are.
        nothing: There is nothing to do.
        left: What became of files that are not committed.
    """

    looking: str = "looking for new files"
    files: str = "new files"
    nothing: str = "nothing new"
    left: str = "files left for the next trigger"


class RunOutput:
    """An observer that prints. `finished` prints the end of a run.

    Args:
        words: How the run speaks.
        as_json: JSON Lines on standard output; everything meant for people goes to standard error.
        progress: The live bar, or None where there is no terminal.
    """

    def __init__(self, words: Words, *, as_json: bool, progress: Progress | None) -> None:
        self._words = words
        self._as_json = as_json
        self._progress = progress
        self._console = progress.console if progress else Console(stderr=as_json, highlight=False, soft_wrap=True)
        self._bar = progress.add_task(words.looking, total=None) if progress else None
        self._pages = 0
        self._failed = 0
        self._files_done = 0
        self._bytes = 0
        self._waiting = 0

    def __call__(self, event: Event) -> None:
        """Takes in one event."""
        if isinstance(event, Listed):
            self._bytes, self._waiting = event.new_bytes, event.waiting
            self._files_done = self._pages = self._failed = 0
            self._update(total=event.new_files, completed=0)
        elif isinstance(event, Planned):
            self._planned(event)
        elif isinstance(event, RangeDone):
            self._pages += event.pages
            self._failed += event.failed_pages
            self._update(description=f"{self._pages} pages, {self._failed} failed")
        elif isinstance(event, BatchDone):
            self._batch_done(event)
        elif isinstance(event, Compacted):
            self._compacted(event)
        elif isinstance(event, Cleaned):
            self._cleaned(event)
        elif isinstance(event, MessagesTaken):
            self._messages(event)
        elif isinstance(event, Notice):
            self._console.print(visible(event.text, keep="\n"), markup=False)

    def finished(self, summary: Summary) -> None:
        """Prints what the run did."""
        if self._as_json:
            print_json(summary.to_json())
            return
        if not summary.batches and not summary.left_out:
            self._console.print(f"{self._words.nothing}; the table is at version {summary.version}: {summary.table}")
            return
        self._console.print(
            f"{summary.batches} batches, {summary.files} files, {summary.pages} pages "
            f"({summary.failed_pages} failed); table version {summary.version}: {summary.table}",
            markup=False,
        )
        if summary.kept_pages:
            self._console.print(f"{summary.kept_pages} other pages of these files were kept as they were")
        if summary.left_out:
            self._console.print(f"{len(summary.left_out)} {self._words.left}:")
            for path, reason in list(summary.left_out.items())[:10]:
                self._console.print(f"  {path}: {visible(reason)}", markup=False)

    def trouble(self, error: TransientError) -> None:
        """Prints a fault of the moment that the next trigger may not meet."""
        Console(stderr=True, soft_wrap=True).print(f"will try again at the next trigger: {error}", markup=False)

    def _planned(self, event: Planned) -> None:
        files = sum(len(batch.files) for batch in event.batches)
        if files and not self._as_json:
            more = f"; {self._waiting} more wait for a later run" if self._waiting else ""
            self._console.print(
                f"{files} {self._words.files}, {human_bytes(self._bytes)}, in {len(event.batches)} batches{more}"
            )

    def _batch_done(self, event: BatchDone) -> None:
        self._files_done += len(event.files)
        self._update(completed=self._files_done)
        if self._as_json:
            print_json(event.progress)
            return
        progress = event.progress
        seconds = progress["durationMs"]["triggerExecution"] / 1000
        rate = progress["pages"] / max(seconds, 0.001)
        self._console.print(
            f"batch {progress['batchId']}: {progress['numInputRows']} files, {progress['pages']} pages, "
            f"{progress['failed_pages']} failed, {seconds:.1f} s, {rate:.1f} pages/s",
            markup=False,
        )
        for file in event.files:
            if file.kinds or file.left_out:
                why = file.left_out or ", ".join(f"{count} {kind}" for kind, count in file.kinds.items())
                self._console.print(f"  {visible(short_name(file.path))}: {visible(why)}", markup=False)

    def _cleaned(self, event: Cleaned) -> None:
        if event.files and not self._as_json:
            self._console.print(f"{event.files} files that are done were taken out of the source")
        if event.failed:
            self._console.print(f"{len(event.failed)} files that are done could not be; the next run tries again:")
            for path, why in list(event.failed.items())[:10]:
                self._console.print(f"  {visible(short_name(path))}: {visible(why)}", markup=False)

    def _messages(self, event: MessagesTaken) -> None:
        if not self._as_json:
            self._console.print(f"{event.messages} messages, {event.settled} of them settled")
        left = {**{f"message {name}": why for name, why in event.unreadable.items()}, **event.unsettled}
        for name, why in list(left.items())[:10]:
            self._console.print(f"  left in the queue: {visible(name)}: {visible(why)}", markup=False)

    def _compacted(self, event: Compacted) -> None:
        if event.problem is not None:
            said = f"not compacted this time, which harms nothing but speed: {visible(event.problem)}"
        elif event.merged:
            said = f"compacted: {event.merged} files of {event.table} into {event.into}"
        else:
            return
        if not self._as_json:
            self._console.print(said, markup=False)

    def _update(self, **fields: Any) -> None:
        if self._progress is not None and self._bar is not None:
            self._progress.update(self._bar, **fields)


@contextmanager
def run_output(words: Words = Words(), *, as_json: bool) -> Iterator[RunOutput]:
    """Yields the observer for a run: with a live bar on a terminal, plain lines elsewhere."""
    terminal = Console(stderr=True, soft_wrap=True)
    if as_json or not terminal.is_terminal:
        yield RunOutput(words, as_json=as_json, progress=None)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=terminal, transient=True) as progress:
        yield RunOutput(words, as_json=False, progress=progress)

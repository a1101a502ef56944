"""Prints the events and the summary of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from inkstream.flows.console.terminal import Terminal
from inkstream.flows.text import counted, human_bytes, not_read, print_json, short_name, visible
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
    """The words a command uses for its run.

    Attributes:
        looking: Shown until the plan is known.
        file: The noun for one file.
        files: The plural of `file`.
        nothing: Printed if there is nothing to do.
        left: Describes files that were not committed.
    """

    looking: str
    file: str
    files: str
    nothing: str
    left: str = "left for the next trigger"


NEW_FILES = Words("looking for new files", "new file", "new files", "nothing new")
"""For `run`."""
ANNOUNCED_FILES = Words(
    looking="waiting for events",
    file="announced or new file",
    files="announced or new files",
    nothing="nothing new was announced or found",
)
"""For `listen`."""
READ_AGAIN = Words(
    looking="looking for files to read again",
    file="file to read again",
    files="files to read again",
    nothing="nothing to read again",
    left="not read again, with the rows as they were",
)
"""For `retry` and `reprocess`."""


class RunOutput:
    """An observer that prints events. `finished` prints the end of a run.

    Args:
        words: The command's words.
        as_json: Print JSON Lines on standard output; everything for people goes to standard error.
        progress: The live bar; None without a terminal.
    """

    def __init__(self, words: Words, *, as_json: bool, progress: Progress | None) -> None:
        self._words = words
        self._as_json = as_json
        self._progress = progress
        self._console = progress.console if progress else Terminal(stderr=as_json, highlight=False, soft_wrap=True)
        self._bar = progress.add_task(words.looking, total=None) if progress else None
        self._pages = 0
        self._failed = 0
        self._files_done = 0
        self._bytes = 0
        self._waiting = 0
        self._not_read: str | None = None

    def __call__(self, event: Event) -> None:
        """Print an event."""
        if isinstance(event, Listed):
            self._bytes, self._waiting = event.new_bytes, event.waiting
            self._files_done = self._pages = self._failed = 0
            self._update(total=event.new_files, completed=0)
        elif isinstance(event, Planned):
            self._planned(event)
        elif isinstance(event, RangeDone):
            self._pages += event.pages
            self._failed += event.failed_pages
            self._update(description=f"{counted(self._pages, 'page')}, {self._failed} failed")
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
        """Print what the run did."""
        if self._as_json:
            print_json(summary.to_json())
            return
        if summary.unchanged:
            verb = "has" if summary.unchanged == 1 else "have"
            self._console.print(
                f"{counted(summary.unchanged, 'file')} with a new date {verb} the bytes of earlier rows: no new rows"
            )
        if summary.batches or summary.left_out:
            self._print_done(summary)
        else:
            table = f"the table is at version {summary.version}: {summary.table}"
            state = table if summary.version >= 0 else "no table exists yet"
            self._console.print(f"{self._words.nothing}; {state}", markup=False)
        self._not_read = not_read(summary.skipped, summary.not_documents)
        if summary.skipped.has_unreadable:
            self._console.print("some of the source cannot be read; give this user access: the next run tries again")
        if self._not_read:
            self._console.print(self._not_read, markup=False)

    def idle(self, summary: Summary) -> None:
        """Print, after a run that found nothing new, which files it did not read, if that has changed."""
        line = not_read(summary.skipped)
        if line and line != self._not_read:
            self._console.print(line, markup=False)
        self._not_read = line

    def _print_done(self, summary: Summary) -> None:
        self._console.print(
            f"{counted(summary.batches, 'batch')}, {counted(summary.files, 'file')}, {counted(summary.pages, 'page')} "
            f"({summary.failed_pages} failed); table version {summary.version}: {summary.table}",
            markup=False,
        )
        for step in summary.next_steps:
            self._console.print(visible(str(step)), markup=False)
        if summary.kept_pages:
            self._console.print(f"{counted(summary.kept_pages, 'other page')} of these files kept as before")
        if summary.left_out:
            self._console.print(f"{counted(len(summary.left_out), 'file')} {self._words.left}:")
            for path, reason in list(summary.left_out.items())[:10]:
                self._console.print(f"  {path}: {visible(reason)}", markup=False)

    def trouble(self, error: TransientError) -> None:
        """Print a transient fault, after which the next trigger tries again."""
        Terminal(stderr=True, soft_wrap=True).print(f"trying again at the next trigger: {error}", markup=False)

    def _planned(self, event: Planned) -> None:
        files = sum(len(batch.files) for batch in event.batches)
        if files and not self._as_json:
            more = f"; {self._waiting} more wait for a later run" if self._waiting else ""
            self._console.print(
                f"{counted(files, self._words.file, self._words.files)}, {human_bytes(self._bytes)}, "
                f"in {counted(len(event.batches), 'batch')}{more}"
            )

    def _batch_done(self, event: BatchDone) -> None:
        self._files_done += len(event.files)
        self._update(completed=self._files_done)
        if self._as_json:
            print_json(event.progress)
            return
        progress = event.progress
        if progress["batchId"] is not None:
            self._print_batch(progress)
        for file in event.files:
            if file.kinds or file.left_out:
                why = file.left_out or ", ".join(f"{count} {kind}" for kind, count in file.kinds.items())
                self._console.print(f"  {visible(short_name(file.path))}: {visible(why)}", markup=False)

    def _print_batch(self, progress: Mapping[str, Any]) -> None:
        seconds = progress["durationMs"]["triggerExecution"] / 1000
        rate = progress["pages"] / max(seconds, 0.001)
        self._console.print(
            f"batch {progress['batchId']}: {counted(progress['numInputRows'], 'file')}, "
            f"{counted(progress['pages'], 'page')}, "
            f"{progress['failed_pages']} failed, {seconds:.1f} s, {rate:.1f} pages/s",
            markup=False,
        )

    def _cleaned(self, event: Cleaned) -> None:
        if event.files and not self._as_json:
            self._console.print(f"{counted(event.files, 'finished file')} removed from the source")
        if event.failed:
            self._console.print(
                f"{counted(len(event.failed), 'finished file')} not removed from the source; the next run tries again:"
            )
            for path, why in list(event.failed.items())[:10]:
                self._console.print(f"  {visible(short_name(path))}: {visible(why)}", markup=False)

    def _messages(self, event: MessagesTaken) -> None:
        if not self._as_json:
            self._console.print(f"{counted(event.messages, 'message')}, {event.settled} of them settled")
            if line := not_read(event.skipped):
                self._console.print(f"  {line}", markup=False)
        left = {**{f"message {name}": why for name, why in event.unreadable.items()}, **event.unsettled}
        for name, why in list(left.items())[:10]:
            self._console.print(f"  left in the queue: {visible(name)}: {visible(why)}", markup=False)

    def _compacted(self, event: Compacted) -> None:
        if event.problem is not None:
            message = f"not compacted this time, which only costs speed: {visible(event.problem)}"
        elif event.merged:
            message = f"compacted: {counted(event.merged, 'file')} of {event.table} into {event.into}"
        else:
            return
        if not self._as_json:
            self._console.print(message, markup=False)

    def _update(self, **fields: Any) -> None:
        if self._progress is not None and self._bar is not None:
            self._progress.update(self._bar, **fields)


@contextmanager
def run_output(words: Words, *, as_json: bool) -> Iterator[RunOutput]:
    """Yield the observer of a run, with a live bar on a terminal and plain lines elsewhere."""
    terminal = Terminal(stderr=True, soft_wrap=True)
    if as_json or not terminal.is_terminal:
        yield RunOutput(words, as_json=as_json, progress=None)
        return
    columns = (
        SpinnerColumn(terminal.spinner_name),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("files"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=terminal, transient=True) as progress:
        yield RunOutput(words, as_json=False, progress=progress)

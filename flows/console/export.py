"""What `inkstream export` prints."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from inkstream.flows.console.terminal import Terminal
from inkstream.flows.text import counted, print_json, short_name, visible

if TYPE_CHECKING:
    from inkstream.tasks.queries.export import Export, Exported


@dataclass(slots=True)
class _Totals:
    """The counts of an export so far, in the order in which `--json` prints them."""

    files: int = 0
    pages: int = 0
    failed_pages: int = 0
    not_exported: int = 0

    def add(self, exported: Exported) -> None:
        if exported.problem is not None:
            self.not_exported += 1
            return
        self.files += 1
        self.pages += exported.pages
        self.failed_pages += exported.failed_pages


def print_export(export: Export, output: str, *, as_json: bool) -> tuple[int, int]:
    """Write an export, and print the result for each file.

    Returns:
        How many files were not exported, and how many of those may succeed later.
    """
    totals, passing = _Totals(), 0
    errors = Terminal(stderr=True, soft_wrap=True, highlight=False)
    with _with_progress(export, export.files, errors, show=not as_json) as files:
        for exported in files:
            totals.add(exported)
            passing += exported.passing
            if as_json:
                print_json(exported.to_json())
            elif exported.problem is not None:
                where, why = visible(short_name(exported.path)), visible(exported.problem)
                errors.print(f"{where}: not exported: {why}", markup=False)
    if as_json:
        print_json({**asdict(totals), "output": output})
    else:
        _print_totals(totals, output, errors)
    return totals.not_exported, passing


def _print_totals(totals: _Totals, output: str, errors: Terminal) -> None:
    sentence = (
        f"{counted(totals.files, 'file')}, {counted(totals.pages, 'page')} "
        f"({totals.failed_pages} of them could not be read) in {output}"
    )
    Terminal(highlight=False, soft_wrap=True).print(sentence, markup=False)
    if totals.not_exported:
        errors.print(f"{counted(totals.not_exported, 'file')} not exported")


@contextmanager
def _with_progress(export: Export, files: Sized, terminal: Terminal, *, show: bool) -> Iterator[Iterator[Exported]]:
    """Yield the export's files, with a progress bar if there is a terminal."""
    if not show or not terminal.is_terminal:
        yield iter(export)
        return
    columns = (TextColumn("exporting"), BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True) as progress:
        yield iter(progress.track(export, total=len(files)))

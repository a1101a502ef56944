"""What an export prints."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from inkstream.flows.text import print_json, short_name, visible

if TYPE_CHECKING:
    from inkstream.tasks.queries.export import Export, Exported


def print_export(export: Export, output: str, *, as_json: bool) -> tuple[int, int]:
    """Writes an export and prints what became of it.

    Returns:
        How many files have no export, and how many of those may have one later.
    """
    done: list[int] = [0, 0, 0, 0, 0]
    with _watched(export, export.files, show=not as_json) as files:
        for exported in files:
            made = exported.problem is None
            counts = (made, exported.pages * made, exported.failed_pages * made, not made, exported.passing)
            done = [before + count for before, count in zip(done, counts, strict=True)]
            if as_json:
                print_json(exported.to_json())
            elif not made:
                where, why = visible(short_name(exported.path)), visible(str(exported.problem))
                Console(stderr=True, soft_wrap=True).print(f"{where}: not exported: {why}", markup=False)
    files_made, pages, failed_pages, problems, passing = done
    if as_json:
        names = ("files", "pages", "failed_pages", "not_exported")
        print_json({**dict(zip(names, done, strict=False)), "output": output})
    else:
        told = f"{files_made} files, {pages} pages ({failed_pages} of them could not be read) in {output}"
        Console(highlight=False, soft_wrap=True).print(told, markup=False)
        if problems:
            Console(stderr=True, soft_wrap=True).print(f"{problems} files not exported", markup=False)
    return problems, passing


@contextmanager
def _watched(export: Export, files: Sized, *, show: bool) -> Iterator[Iterator[Exported]]:
    """Yields the export's files, with a bar where there is a terminal."""
    terminal = Console(stderr=True)
    if not show or not terminal.is_terminal:
        yield iter(export)
        return
    columns = (TextColumn("exporting"), BarColumn(), MofNCompleteColumn(), TextColumn("files"), TimeRemainingColumn())
    with Progress(*columns, console=terminal, transient=True) as progress:
        yield iter(progress.track(export, total=len(files)))

"""What the command prints: tables and progress for people, JSON Lines for programs."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from tasks.progress import BatchDone, Event, Listed, Planned, RangeDone, Summary

if TYPE_CHECKING:
    import pyarrow as pa

    from ocr_core.errors import TransientError
    from ocr_core.page import PageResult
    from tasks.config import StreamConfig

TEXT_WIDTH = 60


class RunOutput:
    """An observer that prints. `finished` prints the end of a run.

    Args:
        as_json: JSON Lines on standard output; everything meant for people goes to standard error.
        progress: The live bar, or None where there is no terminal.
    """

    def __init__(self, *, as_json: bool, progress: Progress | None) -> None:
        self._as_json = as_json
        self._progress = progress
        self._console = progress.console if progress else Console(stderr=as_json, highlight=False, soft_wrap=True)
        self._bar = progress.add_task("looking for new files", total=None) if progress else None
        self._pages = 0
        self._failed = 0
        self._files_done = 0
        self._bytes = 0

    def __call__(self, event: Event) -> None:
        """Takes in one event."""
        if isinstance(event, Listed):
            self._bytes = event.new_bytes
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

    def finished(self, summary: Summary) -> None:
        """Prints what the run did."""
        if self._as_json:
            _print_json(summary.to_json())
            return
        if not summary.batches and not summary.left_out:
            self._console.print(f"nothing new; the table is at version {summary.version}: {summary.table}")
            return
        self._console.print(
            f"{summary.batches} batches, {summary.files} files, {summary.pages} pages "
            f"({summary.failed_pages} failed); table version {summary.version}: {summary.table}",
            markup=False,
        )
        if summary.left_out:
            self._console.print(f"{len(summary.left_out)} files left for the next trigger:")
            for path, reason in list(summary.left_out.items())[:10]:
                self._console.print(f"  {path}: {_visible(reason)}", markup=False)

    def trouble(self, error: TransientError) -> None:
        """Prints a fault of the moment that the next trigger may not meet."""
        Console(stderr=True, soft_wrap=True).print(f"will try again at the next trigger: {error}", markup=False)

    def _planned(self, event: Planned) -> None:
        files = sum(len(batch.files) for batch in event.batches)
        if files and not self._as_json:
            self._console.print(f"{files} new files, {_bytes(self._bytes)}, in {len(event.batches)} batches")

    def _batch_done(self, event: BatchDone) -> None:
        self._files_done += len(event.files)
        self._update(completed=self._files_done)
        if self._as_json:
            _print_json(event.progress)
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
                self._console.print(f"  {_visible(_short(file.path))}: {_visible(why)}", markup=False)

    def _update(self, **fields: Any) -> None:
        if self._progress is not None and self._bar is not None:
            self._progress.update(self._bar, **fields)


@contextmanager
def run_output(*, as_json: bool) -> Iterator[RunOutput]:
    """Yields the observer for a run: with a live bar on a terminal, plain lines elsewhere."""
    terminal = Console(stderr=True, soft_wrap=True)
    if as_json or not terminal.is_terminal:
        yield RunOutput(as_json=as_json, progress=None)
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
        yield RunOutput(as_json=False, progress=progress)


def print_rows(sink: str, version: int | None, limit: int, *, as_json: bool) -> None:
    """Prints the newest rows of a sink's pages table."""
    from tasks.tables import PagesTable

    table = PagesTable(sink)
    rows = table.rows(version=version, limit=limit)
    if as_json:
        for row in rows.to_pylist():
            _print_json(row)
        return
    console = table_console()
    console.print(rows_table(rows))
    shown = table.version() if version is None else version
    console.print(f"version {shown} of {table.url}", markup=False, soft_wrap=True)


def table_console() -> Console:
    """Returns a console that is as wide as the terminal, or wide enough for the table where there is none."""
    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=160)


def rows_table(rows: pa.Table) -> Table:
    """Returns rows of the pages table as a table for the terminal."""
    shown = Table(show_lines=False, pad_edge=False)
    for name, options in (
        ("timestamp", {"no_wrap": True}),
        ("pagenum", {"justify": "right"}),
        ("path", {"no_wrap": True, "max_width": 28}),
        ("text", {"no_wrap": True, "max_width": TEXT_WIDTH}),
        ("confidence", {"justify": "right", "no_wrap": True}),
        ("exception", {"overflow": "fold"}),
    ):
        shown.add_column(name, **options)
    for row in rows.to_pylist():
        confidence = row["confidence"]
        shown.add_row(
            f"{row['timestamp']:%Y-%m-%d %H:%M:%S}",
            "" if row["pagenum"] is None else str(row["pagenum"]),
            _plain(_short(row["path"])),
            _plain(_one_line(row["text"])),
            "" if confidence is None else f"{confidence:.1f}",
            _plain(f"{row['exception_kind']}: {row['exception']}") if row["exception"] else "",
        )
    return shown


def print_document(file: Path, config: StreamConfig, *, as_json: bool) -> bool:
    """Reads one document and prints it; returns whether a page failed."""
    from ocr_core import read_document
    from ocr_core.environment import require_environment

    require_environment(config.pipeline)
    failed = False
    for result in read_document(file, config.pipeline, limits=config.execution.limits):
        failed = failed or result.failure is not None
        if as_json:
            _print_json(_page_json(result))
        elif result.failure is not None:
            where = "" if result.pagenum is None else f" page {result.pagenum}"
            Console(stderr=True, soft_wrap=True).print(
                f"{file}{where}: {result.failure.kind}: {result.failure.message}", markup=False
            )
        else:
            text = str(result.text)
            shown = _visible(text, keep="\n\t") if sys.stdout.isatty() else text
            sys.stdout.write(f"{chr(12) if result.pagenum else ''}{shown}\n")
    sys.stdout.flush()
    return failed


def print_checks(config: StreamConfig, *, as_json: bool) -> bool:
    """Prints what a run needs and whether it is there; returns whether all is."""
    from flows.doctor import run_checks

    checks = run_checks(config)
    console = Console(highlight=False, soft_wrap=True)
    for check in checks:
        if as_json:
            _print_json({"name": check.name, "ok": check.ok, "detail": check.detail, "remedy": check.remedy})
            continue
        console.print(f"[{'green' if check.ok else 'red'}]{'ok  ' if check.ok else 'FAIL'}[/] {check.name}: ", end="")
        console.print(check.detail, markup=False)
        if not check.ok and check.remedy:
            console.print(f"     remedy: {check.remedy}", markup=False)
    return all(check.ok for check in checks)


def _page_json(result: PageResult) -> dict[str, Any]:
    fields, _ = result.to_wire()
    fields["regions"] = [
        {
            "index": r.index,
            "parent": r.parent,
            "level": r.level.value,
            "box": dataclasses.asdict(r.box),
            "text": r.text,
            "confidence": r.confidence,
            "engine": r.engine,
        }
        for r in result.regions
    ]
    failure = fields.pop("failure")
    fields["exception_kind"], fields["exception"] = failure or (None, None)
    del fields["overlay_format"]
    return fields


def _print_json(value: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def _short(path: str) -> str:
    return unquote(path.rpartition("/")[2])


def _one_line(text: str | None) -> str:
    joined = " ".join((text or "").split())
    return joined if len(joined) <= TEXT_WIDTH else joined[: TEXT_WIDTH - 1] + "…"


def _plain(text: str) -> str:
    """Keeps text from a document out of the terminal's control codes and rich's markup."""
    return _visible(text).replace("[", "\\[")


def _visible(text: str, keep: str = "") -> str:
    """Keeps text from a document, a name among them, out of the terminal's control codes."""
    return "".join(c if c.isprintable() or c in keep else "�" for c in text)


def _bytes(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"

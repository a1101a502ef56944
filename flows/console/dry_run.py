"""What `--dry-run` of `run`, `retry` and `reprocess` prints: the files that would be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from inkstream.flows.console.tables import plain_table, table_console
from inkstream.flows.text import counted, human_bytes, not_read, plain, print_json, short_name

if TYPE_CHECKING:
    from rich.table import Table

    from inkstream.flows.loop.planners import Plan

_SHOWN = 20


def print_new_files(plan: Plan, *, as_json: bool) -> None:
    """Print what `run` would read: every batch with `as_json`, else the first files and the totals."""
    batches = [
        {
            "batch": number,
            "files": len(item.batch.files),
            "bytes": sum(file.size for file in item.batch.files),
            "paths": [file.path for file in item.batch.files],
        }
        for number, item in enumerate(plan.work, 1)
    ]
    totals: dict[str, Any] = {
        "dry_run": True,
        "listed": plan.looked_at,
        "batches": len(batches),
        "files": sum(batch["files"] for batch in batches),
        "bytes": sum(batch["bytes"] for batch in batches),
        "waiting": plan.waiting,
        "skipped": plan.skipped.to_json(),
        "skipped_examples": plan.skipped.examples_json(),
    }
    if as_json:
        for line in [*batches, totals]:
            print_json(line)
        return
    console = table_console()
    if batches:
        console.print(_first_files(plan))
    if totals["files"] > _SHOWN:
        console.print(f"and {totals['files'] - _SHOWN} more")
    more = f"; {plan.waiting} more would wait" if plan.waiting else ""
    console.print(
        f"{counted(totals['files'], 'new file')} of {plan.looked_at}, {human_bytes(totals['bytes'])}, in "
        f"{counted(len(batches), 'batch')} would be read{more}; nothing was read or written",
        soft_wrap=True,
    )
    if skipped := not_read(plan.skipped):
        console.print(skipped, markup=False, soft_wrap=True)


def _first_files(plan: Plan) -> Table:
    table = plain_table("batch", "file", "size", "last modified", right=("batch", "size"))
    files = [(number, file) for number, item in enumerate(plan.work, 1) for file in item.batch.files]
    for number, file in files[:_SHOWN]:
        name = plain(short_name(file.path))
        table.add_row(str(number), name, human_bytes(file.size), f"{file.modified:%Y-%m-%d %H:%M:%S}")
    return table


def print_files_to_read_again(plan: Plan, *, as_json: bool) -> None:
    """Print which files `retry` or `reprocess` would read again, and which of their pages."""
    files = list(_chosen_files(plan))
    if as_json:
        for file in files:
            print_json(file)
        return
    console = table_console()
    if files:
        table = plain_table("file", "pages", "why")
        for file in files:
            table.add_row(plain(short_name(file["path"])), _pages(file["pages"]), _why(file))
        console.print(table)
    console.print(f"{len(files)} of {counted(plan.looked_at, 'file')} would be read again; nothing was changed")


def _chosen_files(plan: Plan) -> Iterator[dict[str, Any]]:
    for item in plan.work:
        for chosen in item.chosen:
            yield {
                "stream": item.batch.stream,
                "path": chosen.file.path,
                "etag": chosen.file.etag,
                "length": chosen.file.size,
                "pages": None if chosen.again is None else list(chosen.again.pages),
                "failures": dict(chosen.kinds),
                "pipeline_id": chosen.pipeline_id,
            }


def _pages(pagenums: list[int] | None) -> str:
    """Return the pages as people count them, from 1."""
    return "all" if pagenums is None else ", ".join(str(pagenum + 1) for pagenum in pagenums)


def _why(file: dict[str, Any]) -> str:
    failures = ", ".join(f"{count} {kind}" for kind, count in file["failures"].items())
    return failures or f"made by pipeline {file['pipeline_id'] or 'unknown'}"

"""What `run --dry-run` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from inkstream.flows.console.show import table_console
from inkstream.flows.text import human_bytes, plain, print_json, short_name

if TYPE_CHECKING:
    from inkstream.flows.loop.planners import Plan

_FIRST = 20


def print_new_files(plan: Plan, *, as_json: bool) -> None:
    """Prints what a run would take: every batch with `as_json`, else the first files and the sums."""
    batches = [
        {
            "batch": number,
            "files": len(item.batch.files),
            "bytes": sum(file.size for file in item.batch.files),
            "paths": [file.path for file in item.batch.files],
        }
        for number, item in enumerate(plan.work, 1)
    ]
    sums: dict[str, Any] = {
        "dry_run": True,
        "listed": plan.looked_at,
        "batches": len(batches),
        "files": sum(batch["files"] for batch in batches),
        "bytes": sum(batch["bytes"] for batch in batches),
        "waiting": plan.waiting,
    }
    if as_json:
        for line in [*batches, sums]:
            print_json(line)
        return
    console = table_console()
    if batches:
        console.print(_first_files(plan))
    if sums["files"] > _FIRST:
        console.print(f"and {sums['files'] - _FIRST} more")
    more = f"; {plan.waiting} more would wait" if plan.waiting else ""
    console.print(
        f"{sums['files']} new files of {plan.looked_at}, {human_bytes(sums['bytes'])}, in {len(batches)} batches "
        f"would be read{more}; nothing was read or written",
        soft_wrap=True,
    )


def _first_files(plan: Plan) -> Table:
    shown = Table(pad_edge=False)
    for name in ("batch", "file", "size", "last modified"):
        shown.add_column(name, overflow="fold", justify="right" if name in ("batch", "size") else "left")
    files = [(number, file) for number, item in enumerate(plan.work, 1) for file in item.batch.files]
    for number, file in files[:_FIRST]:
        name = plain(short_name(file.path))
        shown.add_row(str(number), name, human_bytes(file.size), f"{file.modified:%Y-%m-%d %H:%M:%S}")
    return shown

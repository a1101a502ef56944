"""What `inkstream doctor` prints."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from rich.console import Console

from inkstream.flows.doctor import run_checks
from inkstream.flows.text import print_json

if TYPE_CHECKING:
    from inkstream.tasks.config import StreamConfig

_NAME_WIDTH = 17


def print_checks(config: StreamConfig, missing: Collection[str], *, as_json: bool) -> bool:
    """Prints what a run needs and whether it is there, as it is found; returns whether all is.

    Args:
        config: What is to run.
        missing: Of `source.url` and `sink.url` those that nobody gave.
        as_json: One line of JSON a check.
    """
    console = Console(highlight=False, soft_wrap=True)
    well = True
    for check in run_checks(config, missing):
        well = well and check.ok
        if as_json:
            print_json({"name": check.name, "ok": check.ok, "detail": check.detail, "remedy": check.remedy})
            continue
        state = ("[yellow]note" if check.remedy else "[green]ok  ") if check.ok else "[red]FAIL"
        console.print(f"{state}[/] {check.name:<{_NAME_WIDTH}} ", end="")
        console.print(check.detail, markup=False)
        if check.remedy:
            console.print(f"{'':{_NAME_WIDTH + 5}} remedy: {check.remedy}", markup=False)
    return well

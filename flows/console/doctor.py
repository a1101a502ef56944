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


def print_doctor(config: StreamConfig, missing: Collection[str], *, as_json: bool) -> bool:
    """Print each check as soon as it is made; return whether all passed.

    Args:
        config: The configuration that is to be run.
        missing: Which of `source.url` and `sink.url` were not given.
        as_json: Print one line of JSON per check.
    """
    console = Console(highlight=False, soft_wrap=True)
    all_ok = True
    for check in run_checks(config, missing):
        all_ok = all_ok and check.ok
        if as_json:
            print_json({"name": check.name, "ok": check.ok, "detail": check.detail, "remedy": check.remedy})
            continue
        state = ("[yellow]note" if check.remedy else "[green]ok  ") if check.ok else "[red]FAIL"
        console.print(f"{state}[/] {check.name:<{_NAME_WIDTH}} ", end="")
        console.print(check.detail, markup=False)
        if check.remedy:
            console.print(f"     remedy: {check.remedy}", markup=False)
    return all_ok

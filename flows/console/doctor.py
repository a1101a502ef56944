"""What `inkstream doctor` prints."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from inkstream.flows.console.tables import table_console
from inkstream.flows.doctor import run_checks
from inkstream.flows.text import print_json

if TYPE_CHECKING:
    from inkstream.flows.console.terminal import Terminal
    from inkstream.ocr_core.engines.entry import Check
    from inkstream.tasks.config import StreamConfig

_STATE_WIDTH = 4
_NAME_WIDTH = 22


def print_doctor(config: StreamConfig, missing: Collection[str], *, as_json: bool) -> bool:
    """Print each check as soon as it is done; return whether all passed.

    Args:
        config: The configuration to run.
        missing: Which of `source.url` and `sink.url` were not given.
        as_json: Print one line of JSON per check.
    """
    console = table_console()
    all_ok = True
    for check in run_checks(config, missing):
        all_ok = all_ok and check.ok
        if as_json:
            print_json({"name": check.name, "ok": check.ok, "detail": check.detail, "remedy": check.remedy})
            continue
        _print_check(console, check)
    return all_ok


def _print_check(console: Terminal, check: Check) -> None:
    state = ("[yellow]note" if check.remedy else "[green]ok") if check.ok else "[red]FAIL"
    line = Table.grid(padding=(0, 1))
    line.add_column(width=_STATE_WIDTH)
    line.add_column(width=_NAME_WIDTH)
    line.add_column(overflow="fold")
    line.add_row(state, Text(check.name), Text(check.detail))
    console.print(line)
    if check.remedy:
        indent = " " * (_STATE_WIDTH + 1)
        console.print(f"{indent}remedy: {check.remedy}", markup=False, soft_wrap=True)  # on one line, for copying

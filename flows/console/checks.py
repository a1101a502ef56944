"""What `inkstream doctor` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from flows.console.text import print_json

if TYPE_CHECKING:
    from tasks.config import StreamConfig


def print_checks(config: StreamConfig, *, as_json: bool) -> bool:
    """Prints what a run needs and whether it is there; returns whether all is."""
    from flows.doctor import run_checks

    checks = run_checks(config)
    console = Console(highlight=False, soft_wrap=True)
    for check in checks:
        if as_json:
            print_json({"name": check.name, "ok": check.ok, "detail": check.detail, "remedy": check.remedy})
            continue
        console.print(f"[{'green' if check.ok else 'red'}]{'ok  ' if check.ok else 'FAIL'}[/] {check.name}: ", end="")
        console.print(check.detail, markup=False)
        if not check.ok and check.remedy:
            console.print(f"     remedy: {check.remedy}", markup=False)
    return all(check.ok for check in checks)

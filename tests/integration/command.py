"""The `inkstream` command as a process of its own, for tests that run it end to end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def inkstream(
    *arguments: str | Path,
    code: int = 0,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Runs the command, and checks its exit code and that no traceback is printed."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment,
        timeout=seconds,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


def run_json(*arguments: str | Path, **options: Any) -> list[dict[str, Any]]:
    """Returns what `inkstream run --json` prints: the batches, and last of all the run."""
    done = inkstream("run", "--json", "--prefect", "off", *arguments, **options)
    return [json.loads(line) for line in done.stdout.splitlines()]


def settings(**options: object) -> list[str]:
    """Makes `--set` arguments; a double underscore in a name stands for a dot."""
    return [part for name, value in options.items() for part in ("--set", f"{name.replace('__', '.')}={value}")]


def bare_environment(home: Path) -> dict[str, str]:
    """Returns this process's environment with another home and nothing of Prefect's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "XDG_"))}
    return {**kept, "HOME": str(home)}

"""Runs the `inkstream` command end to end."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from inkstream.flows.cli import app


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def inkstream(
    *arguments: str | Path,
    code: int = 0,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    seconds: float = 120,
) -> Done:
    """Run the command, and check its exit code and that no traceback is printed.

    It runs in this process, which saves half a second of imports, or in a separate one if an environment is given.
    """
    words = list(map(str, arguments))
    done = _here(words, cwd) if environment is None else _apart(words, cwd, environment, seconds)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
    return done


def _here(words: list[str], cwd: Path | None) -> Done:
    output, errors = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with chdir(cwd or "."), redirect_stdout(output), redirect_stderr(errors), patch("sys.stdin", io.StringIO()):
        try:
            app(words, prog_name="inkstream")
        except SystemExit as ended:
            output.seek(0)
            return Done(int(ended.code or 0), output.read(), errors.getvalue())
    raise AssertionError("the command did not end with an exit code")


def _apart(words: list[str], cwd: Path | None, environment: Mapping[str, str], seconds: float) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "inkstream", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment,
        timeout=seconds,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def run_json(*arguments: str | Path, **options: Any) -> list[dict[str, Any]]:
    """Return what `inkstream run --json` prints: the batches, then the run."""
    done = inkstream("run", "--json", "--prefect", "off", *arguments, **options)
    return [json.loads(line) for line in done.stdout.splitlines()]


def settings(**options: object) -> list[str]:
    """Return `--set` arguments; a double underscore in a name stands for a dot."""
    return [part for name, value in options.items() for part in ("--set", f"{name.replace('__', '.')}={value}")]


def bare_environment(home: Path) -> dict[str, str]:
    """Return this process's environment with another home and without Prefect's variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "XDG_"))}
    return {**kept, "HOME": str(home)}

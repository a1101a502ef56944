"""Run a stream in a separate process that can be told to die, or to stop, at a chosen event.

    python -m tests.faults.driver CONFIG.json [--do run|retry|reprocess] [--set KEY=VALUE]
        [--die-at EVENT[:N]] [--stop-at EVENT[:N]] [--at EVENT[:N] COMMAND]

EVENT names a class in `inkstream.tasks.progress`; N counts from 1. To die, the process sends itself SIGKILL, so nothing
is flushed or closed. A run that ends by itself prints its summary as JSON.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from inkstream.flows.api import Stream
from inkstream.ocr_core.errors import EnvironmentFault, TransientError
from inkstream.tasks.config import build_config
from inkstream.tasks.progress import Event


def at(place: str, action: Callable[[], object]) -> Callable[[Event], None]:
    """Return an observer that acts at the N-th event of a kind."""
    name, _, number = place.partition(":")
    wanted = int(number or 1)
    seen: Counter[str] = Counter()

    def observe(event: Event) -> None:
        kind = type(event).__name__
        seen[kind] += 1
        if kind == name and seen[kind] == wanted:
            action()

    return observe


def main() -> int:
    """Run the stream; return the exit code that `inkstream run` would return."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--do", choices=("run", "retry", "reprocess"), default="run")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--die-at")
    parser.add_argument("--stop-at")
    parser.add_argument("--at", nargs=2, action="append", default=[])
    arguments = parser.parse_args()
    observers: list[Callable[[Event], None]] = []
    for place, command in arguments.at:
        observers.append(at(place, functools.partial(subprocess.run, command, shell=True, check=True)))
    if arguments.stop_at:
        observers.append(at(arguments.stop_at, lambda: os.kill(os.getpid(), signal.SIGSTOP)))
    if arguments.die_at:
        observers.append(at(arguments.die_at, lambda: os.kill(os.getpid(), signal.SIGKILL)))
    config = build_config(json.loads(arguments.config.read_text()), overrides=arguments.set)
    try:
        with Stream(config, observers=observers) as stream:
            if arguments.do == "retry":
                summary = stream.retry(overrides=arguments.set)
            else:
                summary = stream.reprocess() if arguments.do == "reprocess" else stream.run()
    except TransientError as error:
        print(error, file=sys.stderr)
        return 5
    except EnvironmentFault as error:
        print(error, file=sys.stderr)
        return 4
    print(json.dumps({**summary.to_json(), "left_out": summary.left_out}), flush=True)
    return 5 if summary.left_out else 0


if __name__ == "__main__":
    sys.exit(main())

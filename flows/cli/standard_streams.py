"""Standard output and standard error as they come: closed, full, a pipe that nobody reads, or not in UTF-8."""

from __future__ import annotations

import io
import os
import select
import sys
from contextlib import suppress
from typing import TextIO


def prepare_streams() -> None:
    """Make standard output accept all text, and replace standard streams that are closed.

    A closed stream is replaced because the next file that is opened would get its number, and whatever prints would
    write into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def is_output_closed() -> bool:
    """Return whether standard output or standard error is a pipe or socket that nobody reads any more."""
    watch = select.poll()
    for number in (1, 2):
        watch.register(number, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in watch.poll(0))


def drop_unwritten_output() -> None:
    """Flush the standard streams; discard what cannot be written, or Python reports it again as it exits."""
    for number, stream in ((1, sys.stdout), (2, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, number)
                os.close(nowhere)


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")

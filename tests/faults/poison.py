"""A Dask worker preload: reading a file of a certain name kills the worker, as a fault below Python would.

The name is in the environment variable `INKSTREAM_TEST_POISON`.
"""

from __future__ import annotations

import os
import signal
import sys


def dask_setup(worker: object) -> None:
    """Installs the poison: an audit hook sees every `open` before it happens, and cannot be caught."""
    del worker
    name = os.environ["INKSTREAM_TEST_POISON"]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith(name):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
